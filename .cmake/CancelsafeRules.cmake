# How the rooms are compiled. Two kinds of code: what is under attack (the
# implementation and the machine room), which carries TSan and coverage
# instrumentation, and the harness around it, which must carry neither: TSan in
# the scheduler would report the scheduler.

set(CANCELSAFE_WARNINGS -Wall -Wextra -Werror -Wno-gnu-anonymous-struct -Wno-nested-anon-types)

# Coverage counters alone: comparisons, indirect calls and stack depths, which the
# engine would have traced as well, serve the mutation of raw bytes, and cost more
# than the code they are in.
set(CANCELSAFE_COVERAGE_FLAGS -fsanitize=fuzzer-no-link
    -fno-sanitize-coverage=trace-cmp,indirect-calls,stack-depth)
set(CANCELSAFE_HARNESS_FLAGS "")
set(CANCELSAFE_ATTACKED_FLAGS "")
set(CANCELSAFE_LINK_FLAGS "")
if(CANCELSAFE_SANITIZER STREQUAL "address")
  set(CANCELSAFE_HARNESS_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
  set(CANCELSAFE_ATTACKED_FLAGS ${CANCELSAFE_HARNESS_FLAGS} ${CANCELSAFE_COVERAGE_FLAGS})
  set(CANCELSAFE_LINK_FLAGS -fsanitize=address,undefined)
elseif(CANCELSAFE_SANITIZER STREQUAL "thread")
  set(CANCELSAFE_HARNESS_FLAGS -fno-omit-frame-pointer)
  set(CANCELSAFE_ATTACKED_FLAGS -fsanitize=thread ${CANCELSAFE_COVERAGE_FLAGS}
      -fno-omit-frame-pointer)
  set(CANCELSAFE_LINK_FLAGS -fsanitize=thread)
elseif(CANCELSAFE_SANITIZER STREQUAL "model")
  # Instrumented as for TSan, and linked without it: the hooks are ours (fuzzers/memory).
  set(CANCELSAFE_HARNESS_FLAGS -fno-omit-frame-pointer)
  set(CANCELSAFE_ATTACKED_FLAGS -fsanitize=thread ${CANCELSAFE_COVERAGE_FLAGS}
      -fno-omit-frame-pointer "SHELL:-mllvm -tsan-instrument-func-entry-exit=0"
      "SHELL:-mllvm -tsan-distinguish-volatile=1"
      "SHELL:-mllvm -tsan-compound-read-before-write=1")
elseif(CANCELSAFE_SANITIZER STREQUAL "coverage")
  set(CANCELSAFE_HARNESS_FLAGS -fprofile-instr-generate -fcoverage-mapping)
  set(CANCELSAFE_ATTACKED_FLAGS ${CANCELSAFE_HARNESS_FLAGS})
  set(CANCELSAFE_LINK_FLAGS -fprofile-instr-generate)
elseif(CANCELSAFE_SANITIZER STREQUAL "none")
  set(CANCELSAFE_ATTACKED_FLAGS ${CANCELSAFE_COVERAGE_FLAGS})
elseif(NOT CANCELSAFE_SANITIZER STREQUAL "environment")
  message(FATAL_ERROR "CANCELSAFE_SANITIZER is '${CANCELSAFE_SANITIZER}'; it must be none, "
                      "address, thread, model, coverage or environment")
endif()
# What the compiler was told by CXXFLAGS is looked up there: the sources have to know.
set(CANCELSAFE_SANITIZER_UPPER "${CANCELSAFE_SANITIZER}")
if(CANCELSAFE_SANITIZER STREQUAL "environment")
  # Whatever compiler that is may warn of other things than ours.
  list(REMOVE_ITEM CANCELSAFE_WARNINGS -Werror)
  # Unsigned arithmetic wraps by definition, and hashes live on it.
  set(CANCELSAFE_HARNESS_FLAGS -fno-sanitize=unsigned-integer-overflow)
  # Asked for by name it is refused where there is no RTTI.
  set(CANCELSAFE_ATTACKED_FLAGS ${CANCELSAFE_HARNESS_FLAGS} -fno-sanitize=vptr)
  set(CANCELSAFE_SANITIZER_UPPER "none")
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[^ ]*(address|thread)")
    set(CANCELSAFE_SANITIZER_UPPER "${CMAKE_MATCH_1}")
  endif()
endif()
string(TOUPPER "${CANCELSAFE_SANITIZER_UPPER}" CANCELSAFE_SANITIZER_UPPER)
add_compile_definitions(CANCELSAFE_SANITIZER_${CANCELSAFE_SANITIZER_UPPER}=1)
add_link_options(${CANCELSAFE_LINK_FLAGS})
# Coverage hooks for programs without a fuzz engine. The sanitizer runtimes bring
# their own; only the plain flavour lacks them.
add_library(cancelsafe_no_engine STATIC "${CMAKE_SOURCE_DIR}/fuzzers/run/no_engine.c")

# cancelsafe_harness(<target>): oracle, programs, schedules, tools, tests.
function(cancelsafe_harness target)
  target_compile_options(${target} PRIVATE ${CANCELSAFE_WARNINGS} ${CANCELSAFE_HARNESS_FLAGS})
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/impl"
                             "${CMAKE_SOURCE_DIR}/impl/include")
endfunction()

# cancelsafe_attacked(<target>): free-standing code under test.
function(cancelsafe_attacked target)
  target_compile_options(${target} PRIVATE ${CANCELSAFE_WARNINGS} ${CANCELSAFE_ATTACKED_FLAGS}
                         -fno-exceptions -fno-rtti)
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/impl"
                             "${CMAKE_SOURCE_DIR}/impl/include")
endfunction()

# cancelsafe_host(<target>): an executable that loads implementations exports the
# kernel services (those of default visibility) to them.
function(cancelsafe_host target)
  set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
endfunction()

# cancelsafe_tool(<target>): a host executable without a fuzz engine.
function(cancelsafe_tool target)
  cancelsafe_harness(${target})
  cancelsafe_host(${target})
  if(CANCELSAFE_SANITIZER MATCHES "^(none|model)$")
    target_link_libraries(${target} PRIVATE cancelsafe_no_engine)
  endif()
endfunction()

# cancelsafe_test(<name> SOURCES ... LIBRARIES ...): a GoogleTest binary whose
# cases are ctest tests "<name>.<case>".
function(cancelsafe_test name)
  if(NOT CANCELSAFE_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gtest_main)
  cancelsafe_tool(${name})
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
                       PROPERTIES TIMEOUT 300)
endfunction()
