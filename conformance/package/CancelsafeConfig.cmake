# find_package(Cancelsafe): headers to compile an implementation against, and
# cancelsafe_add_tests to check it.

get_filename_component(_cancelsafe_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(Cancelsafe_INCLUDE_DIR "${_cancelsafe_prefix}/include/cancelsafe")
set(Cancelsafe_PROGRAM "${_cancelsafe_prefix}/bin/cancelsafe")
set(_cancelsafe_fuzzers "${_cancelsafe_prefix}/libexec/cancelsafe")

# The kernel's documented declarations. What an implementation calls of them it
# finds in the host that loads it.
if(NOT TARGET Cancelsafe::headers)
  add_library(Cancelsafe::headers INTERFACE IMPORTED)
  set_target_properties(Cancelsafe::headers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Cancelsafe_INCLUDE_DIR}")
endif()

# cancelsafe_add_tests(<target> [EXPECTATIONS file] [CLAUSE glob] [FUZZERS name...]
#                      [FUZZ_RUNS number])
#
# Adds the tests <target>.conformance and, for each fuzzer named (csq, device_queue, ...:
# a family in libexec/cancelsafe/) that this installation has, <target>.fuzz.<name>:
# FUZZ_RUNS programs (20000), whose failures are saved in the build directory.
# <target> is a MODULE or SHARED library that exports documented routines. The
# report is written to <build directory>/<target>.conformance/.
function(cancelsafe_add_tests target)
  cmake_parse_arguments(arg "" "EXPECTATIONS;CLAUSE;FUZZ_RUNS" "FUZZERS" ${ARGN})
  set(options --implementation "$<TARGET_FILE:${target}>"
              --report "${CMAKE_CURRENT_BINARY_DIR}/${target}.conformance")
  if(arg_EXPECTATIONS)
    get_filename_component(file "${arg_EXPECTATIONS}" ABSOLUTE)
    list(APPEND options --expectations "${file}")
  endif()
  if(arg_CLAUSE)
    list(APPEND options --clause "${arg_CLAUSE}")
  endif()
  add_test(NAME ${target}.conformance COMMAND "${Cancelsafe_PROGRAM}" conform ${options})
  if(NOT arg_FUZZ_RUNS)
    set(arg_FUZZ_RUNS 20000)
  endif()
  foreach(name IN LISTS arg_FUZZERS)
    set(fuzzer "${_cancelsafe_fuzzers}/${name}_fuzzer")
    if(NOT EXISTS "${fuzzer}")
      message(WARNING "Cancelsafe was installed without ${name}_fuzzer; ${target} is not fuzzed")
      continue()
    endif()
    add_test(NAME ${target}.fuzz.${name}
             COMMAND "${fuzzer}" "--implementation=$<TARGET_FILE:${target}>"
                     "--artifacts=${CMAKE_CURRENT_BINARY_DIR}" --brief
                     "--front-door=${Cancelsafe_PROGRAM}" -verbosity=0 -max_len=4096
                     -runs=${arg_FUZZ_RUNS} -seed=1)
  endforeach()
endfunction()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Cancelsafe REQUIRED_VARS Cancelsafe_INCLUDE_DIR
                                  Cancelsafe_PROGRAM)
