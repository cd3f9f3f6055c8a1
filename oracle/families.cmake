# cancelsafe_families(OUT): the names of the queue families as files have them, from
# the one list of them, families.def beside this file.
function(cancelsafe_families out)
  set(list ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/families.def)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} lines REGEX "^CANCELSAFE_FAMILY")
  list(TRANSFORM lines REPLACE "^CANCELSAFE_FAMILY\\(k[A-Za-z]+, ([a-z_]+)\\)$" "\\1")
  set(${out} ${lines} PARENT_SCOPE)
endfunction()
