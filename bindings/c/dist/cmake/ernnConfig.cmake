# find_package(ernn) makes the target ernn::ernn: the header, and the library of the core.
#
# The core is that of ERNN_CORE, a folder below lib/, or follows from -mcpu in CMAKE_C_FLAGS.

get_filename_component(ernn_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT ERNN_CORE AND CMAKE_C_FLAGS MATCHES "-mcpu=(cortex-m[0-9]+(plus)?)")
  set(ERNN_CORE "${CMAKE_MATCH_1}")
  if(ERNN_CORE MATCHES "^cortex-m[47]$")
    string(APPEND ERNN_CORE "f")
  endif()
endif()

set(ernn_library "${ernn_root}/lib/${ERNN_CORE}/libernn.a")
if(NOT ERNN_CORE OR NOT EXISTS "${ernn_library}")
  file(GLOB ernn_cores RELATIVE "${ernn_root}/lib" "${ernn_root}/lib/*/libernn.a")
  string(REPLACE "/libernn.a" "" ernn_cores "${ernn_cores}")
  string(REPLACE ";" ", " ernn_cores "${ernn_cores}")
  set(ernn_FOUND FALSE)
  set(ernn_NOT_FOUND_MESSAGE "no library for the core '${ERNN_CORE}': set ERNN_CORE to one of ${ernn_cores}")
  return()
endif()

if(NOT TARGET ernn::ernn)
  add_library(ernn::ernn STATIC IMPORTED)
  set_target_properties(ernn::ernn PROPERTIES
    IMPORTED_LOCATION "${ernn_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${ernn_root}/include")
endif()
