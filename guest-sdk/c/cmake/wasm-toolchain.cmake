# CMake toolchain for operators: clang for wasm32 with wasi-libc. `tidegate build` uses it, and so
# can a person:
#
#   cmake -B build -DCMAKE_TOOLCHAIN_FILE=.../wasm-toolchain.cmake
#
# TIDEGATE_CLANG names the compiler; else that of WASI_SDK_PATH, else the newest on the PATH.
# Debian has it all: clang-22 lld-22 libclang-rt-22-dev-wasm32 wasi-libc, and for C++
# libc++-22-dev-wasm32 libc++abi-22-dev-wasm32.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(TIDEGATE_WASM TRUE)

# Tests of the compiler by CMake run this file again, in a project of their own.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TIDEGATE_CLANG)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

if(NOT TIDEGATE_CLANG)
  find_program(TIDEGATE_CLANG REQUIRED
    NAMES clang-22 clang-23 clang-21 clang-20 clang-19 clang
    HINTS "$ENV{WASI_SDK_PATH}/bin")
endif()
get_filename_component(tidegate_clang_name "${TIDEGATE_CLANG}" NAME)
get_filename_component(tidegate_clang_folder "${TIDEGATE_CLANG}" DIRECTORY)
string(REPLACE clang clang++ tidegate_clangxx_name "${tidegate_clang_name}")
set(CMAKE_C_COMPILER "${TIDEGATE_CLANG}")
set(CMAKE_CXX_COMPILER "${tidegate_clang_folder}/${tidegate_clangxx_name}")
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)

# The archiver is beside the compiler itself, which may be behind links.
get_filename_component(tidegate_llvm "${TIDEGATE_CLANG}" REALPATH)
get_filename_component(tidegate_llvm "${tidegate_llvm}" DIRECTORY)
find_program(CMAKE_AR llvm-ar HINTS "${tidegate_llvm}")
find_program(CMAKE_RANLIB llvm-ranlib HINTS "${tidegate_llvm}")

# The first: newer compilers call this target's name old, but Debian's wasi-libc is found by it. The
# vectors are those that every engine has.
set(tidegate_flags "-Wno-deprecated -Wdeprecated-declarations -msimd128")
set(CMAKE_C_FLAGS_INIT "${tidegate_flags}")
set(CMAKE_CXX_FLAGS_INIT "${tidegate_flags} -fno-exceptions -fno-rtti")
# A reactor is called again and again. The name section stays, so that a trap's backtrace names
# functions.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-mexec-model=reactor -Wl,--strip-debug")

# Without NDEBUG: an operator reports its own mistakes with `assert`.
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(CMAKE_C_FLAGS_RELEASE "-O2" CACHE STRING "")
set(CMAKE_CXX_FLAGS_RELEASE "-O2" CACHE STRING "")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
