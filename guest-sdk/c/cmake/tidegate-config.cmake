# The result of `find_package(tidegate)`: the SDK as sources, since an operator and its tests need
# them for WebAssembly and for this machine.

if(NOT TARGET tidegate::sdk)
  add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/.." "${CMAKE_BINARY_DIR}/tidegate-sdk")
endif()
set(tidegate_FOUND TRUE)
