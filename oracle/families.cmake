# cancelsafe_families(OUT): the names of the queue families as files have them, from
# the one list of them, families.def beside this file.
function(cancelsafe_families out)
  set(list ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/families.def)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^CANCELSAFE_FAMILY")
  list(TRANSFORM lines REPLACE "^CANCELSAFE_FAMILY\\(k[A-Za-z]+, ([a-z_]+)\\)$" "\\1")
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

# cancelsafe_family_rows(FOLDER): writes FOLDER/oracle/family_operations.def, which has the
# operations of every family, from the files in the families' folders.
function(cancelsafe_family_rows folder)
  cancelsafe_families(families)
  set(rows)
  foreach(family ${families})
    string(APPEND rows "#include \"oracle/${family}/operations.def\"\n")
  endforeach()
  file(CONFIGURE OUTPUT "${folder}/oracle/family_operations.def" CONTENT "${rows}" @ONLY)
endfunction()
