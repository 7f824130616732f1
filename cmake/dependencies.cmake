# The libraries that feral stands on. cmake/feralConfig.cmake.in finds the same ones for installed users.
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(dlpack REQUIRED)

list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR}/modules)
find_package(OpenBLAS MODULE REQUIRED)
find_package(Highway MODULE REQUIRED)

# GCC's own reader of symbols and line numbers, for anomaly mode and the stacks of processes that die; without it only
# exported names are told.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES backtrace)
check_cxx_source_compiles("#include <backtrace.h>
int main() { return backtrace_create_state(nullptr, 0, nullptr, nullptr) == nullptr; }" FERAL_HAS_BACKTRACE)
unset(CMAKE_REQUIRED_LIBRARIES)
