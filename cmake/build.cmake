# Flags and the three functions by which every directory declares its targets.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(RIPEN_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(RIPEN_SANITIZE "" CACHE STRING "address,undefined | thread | empty")

find_program(RIPEN_CCACHE ccache)
if(RIPEN_CCACHE AND NOT RIPEN_NO_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${RIPEN_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${RIPEN_CCACHE})
endif()
find_program(RIPEN_MOLD mold)
if(RIPEN_MOLD)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # g++ 12 knows -fuse-ld=mold.
        add_link_options(-fuse-ld=mold)
    else()
        add_link_options(-fuse-ld=${RIPEN_MOLD})
    endif()
endif()

add_compile_options(
    -Wall -Wextra -Wformat=2 -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough -Wshadow
    -Wnon-virtual-dtor -Woverloaded-virtual -Werror=format-security
    -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-strict-overflow
    -msse4.2 -mpclmul)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ is the judge of warnings; clang 14, which only fuzzes, also refuses the zero fill.
    # g++ 12 reports these from inside its own headers at -O2.
    add_compile_options(-Werror -ftrivial-auto-var-init=zero -Wtrampolines -Wno-psabi
        -Wno-error=maybe-uninitialized -Wno-error=array-bounds -Wno-error=stringop-overflow
        -Wno-error=stringop-overread -Wno-error=restrict -Wno-error=free-nonheap-object
        -Wno-error=dangling-pointer)
endif()

if(RIPEN_SANITIZE)
    add_compile_options(-fsanitize=${RIPEN_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${RIPEN_SANITIZE})
else()
    # Hardening; tools/tidy/hardening.py checks the binary, not these flags.
    add_compile_options(-fstack-clash-protection -fstack-protector-strong -fcf-protection=full)
    add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=3> _GLIBCXX_ASSERTIONS)
    add_link_options(-pie -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
if(RIPEN_SANITIZE)
    set(CMAKE_CXX_FLAGS_RELEASE "-O1 -g1")
endif()
if(RIPEN_FUZZ)
    # What the fuzzer steers by: which branches of our own code were reached.
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# `all_tests` builds every test program, `fuzz_targets` every fuzz target, without the rest.
add_custom_target(all_tests)
add_custom_target(fuzz_targets)

# ripen_module(NAME [DEPS target...]): every *.cc of this directory but *_test.cc, and its tests.
#   Makes ripen_NAME and, where *_test.cc exist, the test program NAME_test.
function(ripen_module name)
    cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS;SUBDIRS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS *.cc)
    file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
    foreach(sub ${ARG_SUBDIRS})
        file(GLOB sub_sources CONFIGURE_DEPENDS ${sub}/*.cc)
        file(GLOB sub_tests CONFIGURE_DEPENDS ${sub}/*_test.cc)
        list(APPEND sources ${sub_sources})
        list(APPEND tests ${sub_tests})
    endforeach()
    list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
    if(sources)
        add_library(ripen_${name} STATIC ${sources})
        target_include_directories(ripen_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
        target_link_libraries(ripen_${name} PUBLIC ${ARG_DEPS} Threads::Threads)
    else()
        add_library(ripen_${name} INTERFACE)
        target_include_directories(ripen_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
        target_link_libraries(ripen_${name} INTERFACE ${ARG_DEPS})
    endif()
    if(tests)
        ripen_test(${name} SOURCES ${tests} DEPS ripen_${name} ${ARG_TEST_DEPS})
    endif()
endfunction()

# ripen_test(NAME SOURCES file... DEPS target...): a GoogleTest program run by ctest from the
# project's root. RIPEN_SHARED_DATA tells where real data lies; tests skip and say so without it.
function(ripen_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
    add_executable(${name}_test ${ARG_SOURCES})
    target_link_libraries(${name}_test PRIVATE ${ARG_DEPS} gtest gmock gtest_main Threads::Threads)
    target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
    add_dependencies(all_tests ${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

# ripen_fuzz(NAME DEPS target...): fuzz/NAME.cc with its corpus in fuzz/corpus/NAME.
function(ripen_fuzz name)
    cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
    add_executable(fuzz_${name} ${name}.cc)
    target_link_libraries(fuzz_${name} PRIVATE ${ARG_DEPS})
    target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets fuzz_${name})
endfunction()
