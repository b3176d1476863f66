# What `find_package(tidegate)` finds: the SDK as sources, since an operator and its tests need it
# for WebAssembly and for this machine.

if(NOT TARGET tidegate::sdk)
  add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/.." "${CMAKE_BINARY_DIR}/tidegate-sdk")
endif()
set(tidegate_FOUND TRUE)
