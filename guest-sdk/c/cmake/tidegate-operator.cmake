# The functions that a project calls. Under the toolchain of wasm-toolchain.cmake they make
# components, and on this machine tests.

# The file from which `tidegate build` reads the components: name, folder, module and language of
# each.
set(TIDEGATE_OPERATORS "${CMAKE_BINARY_DIR}/tidegate-operators.txt" CACHE INTERNAL "")
file(WRITE "${TIDEGATE_OPERATORS}" "")

# tidegate_operator(NAME SOURCE...): an operator, with one TG_EXPORT in its sources. `tidegate
# build` writes NAME.wasm beside the CMakeLists.txt that calls this.
function(tidegate_operator name)
  if(TIDEGATE_WASM)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE tidegate::sdk)
    set(folder "${CMAKE_BINARY_DIR}/tidegate-modules")
    set_target_properties(${name} PROPERTIES SUFFIX .wasm RUNTIME_OUTPUT_DIRECTORY "${folder}")
    set(language c)
    if("${ARGN}" MATCHES "\\.(cc|cpp|cxx)(;|$)")
      set(language cpp)
    endif()
    file(APPEND "${TIDEGATE_OPERATORS}"
      "${name}\t${CMAKE_CURRENT_SOURCE_DIR}\t${folder}/${name}.wasm\t${language}\n")
  else()
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC tidegate::testing)
  endif()
  # Messages and panics name files by their place in the project.
  target_compile_options(${name} PRIVATE "-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=")
endfunction()

# tidegate_test(NAME OPERATOR SOURCE...): a program of tests of an operator of this project, which
# CTest runs on this machine.
function(tidegate_test name operator)
  if(NOT TIDEGATE_WASM)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE ${operator} tidegate::testing)
    add_test(NAME ${name} COMMAND ${name})
  endif()
endfunction()
