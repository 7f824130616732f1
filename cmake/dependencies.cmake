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
