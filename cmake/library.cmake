# The library, one static archive of all folders, and the command line.
set(FERAL_FOLDERS core shm tensor autograd nn optim data models workers launcher)

set(FERAL_SOURCES "")
foreach(folder IN LISTS FERAL_FOLDERS)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  list(APPEND FERAL_SOURCES ${found})
endforeach()
list(REMOVE_ITEM FERAL_SOURCES ${PROJECT_SOURCE_DIR}/launcher/main.cpp)
if(FERAL_SANITIZE)
  # What launches is tested by whole jobs, which sanitizer builds leave out.
  list(FILTER FERAL_SOURCES EXCLUDE REGEX "/launcher/")
endif()

# What every target of ours is compiled with.
add_library(feral_flags INTERFACE)
target_compile_options(feral_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
# GCC 12 finds overflows and overlaps where there are none, inside fmt's and libstdc++'s inlined code.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(feral_flags INTERFACE -Wno-stringop-overflow -Wno-restrict)
endif()
if(FERAL_WERROR)
  target_compile_options(feral_flags INTERFACE -Werror)
endif()
if(FERAL_SANITIZE)
  target_compile_options(feral_flags INTERFACE -fsanitize=${FERAL_SANITIZE} -fno-omit-frame-pointer)
  # AddressSanitizer sees what these would; they double the time to build. Alignment is watched where bytes come from
  # outside (below).
  if(FERAL_SANITIZE MATCHES "undefined")
    target_compile_options(feral_flags INTERFACE -fno-sanitize=null,object-size,vptr,alignment)
  endif()
  target_link_options(feral_flags INTERFACE -fsanitize=${FERAL_SANITIZE})
endif()

# Highway's AVX-512 does not compile without optimization (GCC 12 wants its immediates folded).
if(NOT FERAL_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  foreach(source IN LISTS FERAL_SOURCES)
    file(STRINGS ${source} vectors REGEX "#include .(hwy/|.*-inl\\.hpp)" LIMIT_COUNT 1)
    if(vectors)
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-O1")
    endif()
  endforeach()
endif()
if(FERAL_SANITIZE MATCHES "undefined")
  set(outside ${FERAL_SOURCES})
  list(FILTER outside INCLUDE REGEX "/(shm|data)/|/tensor/(npy|npz|safetensors|files|dlpack|print|tensor)")
  set_source_files_properties(${outside} PROPERTIES COMPILE_OPTIONS "-fsanitize=alignment")
endif()

add_library(feral STATIC ${FERAL_SOURCES})
if(FERAL_SANITIZE)
  # Compiled eight files at a time, which takes a third of the time; not those that Highway compiles several times over.
  foreach(source IN LISTS FERAL_SOURCES)
    file(STRINGS ${source} vectors REGEX "#include .hwy/" LIMIT_COUNT 1)
    if(vectors)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
  set_target_properties(feral PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
endif()
add_library(feral::feral ALIAS feral)
target_compile_features(feral PUBLIC cxx_std_20)
target_include_directories(feral PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(feral PUBLIC fmt::fmt
                            PRIVATE $<BUILD_INTERFACE:feral_flags> Threads::Threads ZLIB::ZLIB OpenBLAS::OpenBLAS
                                    Highway::hwy $<BUILD_INTERFACE:Boost::headers>
                                    $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> $<BUILD_INTERFACE:CLI11::CLI11>
                                    $<BUILD_INTERFACE:dlpack::dlpack>)
# One lane for any machine, AVX2 and AVX-512 for those of the last ten years; what lies between costs build time. Under
# sanitizers AVX2, which compiles without optimization in half the time, stands for AVX-512, which is the same source;
# ThreadSanitizer does without vectors.
set(FERAL_DISABLED_TARGETS "HWY_SSSE3|HWY_SSE4")
if(FERAL_SANITIZE STREQUAL "thread")
  string(APPEND FERAL_DISABLED_TARGETS "|HWY_AVX2|HWY_AVX3")
elseif(FERAL_SANITIZE)
  string(APPEND FERAL_DISABLED_TARGETS "|HWY_AVX3")
endif()
target_compile_definitions(feral PRIVATE "HWY_DISABLED_TARGETS=(${FERAL_DISABLED_TARGETS})"
                                         FERAL_VERSION="${PROJECT_VERSION}")

if(FERAL_HAS_BACKTRACE)
  target_link_libraries(feral PRIVATE backtrace)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/core/symbols.cpp
                              PROPERTIES COMPILE_DEFINITIONS BOOST_STACKTRACE_USE_BACKTRACE)
endif()
target_link_libraries(feral PRIVATE ${CMAKE_DL_LIBS})

# What nearly every source includes, read once. Our own headers stay out: a source must say which of them it uses.
target_precompile_headers(feral PRIVATE <algorithm> <array> <cmath> <cstdint> <functional> <initializer_list> <limits>
                                        <memory> <optional> <span> <string> <string_view> <type_traits> <utility> <vector>
                                        <fmt/format.h>)

if(NOT FERAL_SANITIZE)
  add_executable(feral_cli launcher/main.cpp)
  set_target_properties(feral_cli PROPERTIES OUTPUT_NAME feral)
  target_link_libraries(feral_cli PRIVATE feral feral_flags)
endif()
