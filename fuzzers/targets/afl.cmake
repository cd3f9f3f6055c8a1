# The fuzz targets for AFL++: the same glue and the same objects, with AFL++'s driver
# (persistent mode, test cases in shared memory) in place of libFuzzer's. Built only
# when asked for, as Debian's package afl++ need not be there.
set(CANCELSAFE_AFL_FOLDER "/usr/lib/afl" CACHE PATH "Has libAFLDriver.a and afl-compiler-rt.o")
set(afl_engine "${CANCELSAFE_AFL_FOLDER}/libAFLDriver.a" "${CANCELSAFE_AFL_FOLDER}/afl-compiler-rt.o")

# What is under attack once more, with its comparisons traced: for CmpLog. These
# objects take the place of the libraries' own.
add_library(cancelsafe_compared OBJECT EXCLUDE_FROM_ALL)
foreach(library cancelsafe_kernel cancelsafe_queues)
  get_target_property(sources ${library} SOURCES)
  get_target_property(folder ${library} SOURCE_DIR)
  list(TRANSFORM sources PREPEND "${folder}/")
  target_sources(cancelsafe_compared PRIVATE ${sources})
endforeach()
cancelsafe_attacked(cancelsafe_compared)
cancelsafe_hidden(cancelsafe_compared)
target_compile_definitions(cancelsafe_compared PRIVATE
                           $<TARGET_PROPERTY:cancelsafe_queues,COMPILE_DEFINITIONS>)
target_compile_options(cancelsafe_compared PRIVATE -fsanitize-coverage=trace-cmp)

function(cancelsafe_afl_target name)
  add_executable(${name} EXCLUDE_FROM_ALL ${ARGN} afl_hooks.cc)
  cancelsafe_harness(${name})
  cancelsafe_host(${name})
  target_link_libraries(${name} PRIVATE ${afl_engine})
endfunction()

foreach(name ${families} canary)
  cancelsafe_afl_target(${name}_afl ${glue_of_${name}})
  cancelsafe_afl_target(${name}_cmplog ${glue_of_${name}} $<TARGET_OBJECTS:cancelsafe_compared>)
  foreach(target ${name}_afl ${name}_cmplog)
    target_compile_definitions(${target} PRIVATE CANCELSAFE_TARGET_FAMILY="${name}")
    target_link_libraries(${target} PRIVATE cancelsafe_target)
  endforeach()
endforeach()
if(TARGET driver_fuzzer)
  cancelsafe_afl_target(driver_afl driver_fuzzer.cc)
  target_link_libraries(driver_afl PRIVATE cancelsafe_driver_target)
endif()
foreach(name program_text program_bytes)
  cancelsafe_afl_target(${name}_afl ${name}_fuzzer.cc)
  target_link_libraries(${name}_afl PRIVATE cancelsafe_fuzzed_parsers cancelsafe_coverage_map)
endforeach()

# The mutator runs inside AFL++ itself, where there is no sanitizer.
get_target_property(oracle cancelsafe_oracle SOURCES)
list(TRANSFORM oracle PREPEND "${CMAKE_SOURCE_DIR}/oracle/")
get_target_property(driver_program cancelsafe_driver_program SOURCES)
list(TRANSFORM driver_program PREPEND "${CMAKE_SOURCE_DIR}/fuzzers/drivers/program/")
add_library(cancelsafe_afl_mutator MODULE EXCLUDE_FROM_ALL afl_mutator.cc ${parsers} ${oracle}
            ${driver_program})
set_target_properties(cancelsafe_afl_mutator PROPERTIES PREFIX "" LINK_OPTIONS "")
cancelsafe_hidden(cancelsafe_afl_mutator)
target_compile_options(cancelsafe_afl_mutator PRIVATE ${CANCELSAFE_WARNINGS})
target_include_directories(cancelsafe_afl_mutator PRIVATE "${CMAKE_SOURCE_DIR}"
                           "${CMAKE_SOURCE_DIR}/impl" "${CMAKE_SOURCE_DIR}/impl/include"
                           "${CMAKE_BINARY_DIR}/generated")
target_link_libraries(cancelsafe_afl_mutator PRIVATE absl::span absl::status absl::statusor
                      absl::str_format absl::strings)
target_link_options(cancelsafe_afl_mutator PRIVATE -Wl,-z,defs)
