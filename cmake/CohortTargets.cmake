# Every folder is one target. Its headers are reached as "folder/header.hpp" through a directory of its own that
# holds only that folder, so a target sees the headers of what it links and nothing else: a wrong include does
# not compile.

# cohort_library(NAME SOURCES file... [PUBLIC target...] [PRIVATE target...])
function(cohort_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(cohort_${name} STATIC ${ARG_SOURCES})
  set(visible ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${visible})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${visible}/${name} SYMBOLIC)
  target_include_directories(cohort_${name} PUBLIC ${visible})
  target_link_libraries(cohort_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} cohort_warnings)
endfunction()

# cohort_headers(NAME target...): a folder of headers alone, which use those of the targets.
function(cohort_headers name)
  add_library(cohort_${name} INTERFACE)
  set(visible ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${visible})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${visible}/${name} SYMBOLIC)
  target_include_directories(cohort_${name} INTERFACE ${visible})
  target_link_libraries(cohort_${name} INTERFACE ${ARGN})
endfunction()

# Makes a test of this kind part of library_tests, unless it is of the command line; `labels` is what to call it.
function(cohort_library_test name kind)
  set(labels ${kind})
  if(NOT cohort_cli IN_LIST ARGN)
    add_dependencies(library_tests ${name})
    list(APPEND labels library)
  endif()
  set(labels "${labels}" PARENT_SCOPE)
endfunction()

# cohort_unit_test(NAME SOURCES file... LIBS target...): one process.
function(cohort_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name} PRIVATE ${COHORT_TEST_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} cohort_warnings GTest::gtest_main)
  cohort_library_test(${name} unit ${ARG_LIBS})
  add_test(NAME unit.${name} COMMAND ${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS "${labels}" TIMEOUT 120 ENVIRONMENT "${COHORT_TEST_ENVIRONMENT}")
endfunction()

# cohort_mpi_test(NAME SOURCES file... LIBS target... [RANKS n...]): the same binary at each number of ranks
# (1, 2, 3, 4 unless given); a hang is a failure.
function(cohort_mpi_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;RANKS" ${ARGN})
  if(NOT ARG_RANKS)
    set(ARG_RANKS 1 2 3 4)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${name} PRIVATE ${COHORT_TEST_OPTIONS})
  target_link_libraries(${name} PRIVATE cohort_mpi_main ${ARG_LIBS} cohort_warnings)
  cohort_library_test(${name} mpi ${ARG_LIBS})
  foreach(ranks IN LISTS ARG_RANKS)
    add_test(NAME mpi.${name}.${ranks}
             COMMAND ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none -n ${ranks} $<TARGET_FILE:${name}>)
    set_tests_properties(mpi.${name}.${ranks} PROPERTIES LABELS "${labels}" TIMEOUT 120 PROCESSORS ${ranks}
                         ENVIRONMENT "${COHORT_TEST_ENVIRONMENT}")
  endforeach()
endfunction()
