# Builds ${page_files}, the page of web/ui, in ${page_dir}; both programs come with script/setup build.
find_program(DANELAW_NPM npm HINTS ${CMAKE_SOURCE_DIR}/build/tools/bin)
if(NOT DANELAW_NPM)
  message(FATAL_ERROR "npm is missing, which fetches what the page is made of: run script/setup build, or build from "
    "a tarball of script/dist, or name a folder with the built page by -DDANELAW_PAGE_DIR=")
endif()
file(GLOB_RECURSE page_sources CONFIGURE_DEPENDS ui/src/* ui/*.json ui/*.mjs ui/.npmrc)
list(FILTER page_sources EXCLUDE REGEX "node_modules")
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/ui.npm
  COMMAND ${DANELAW_NPM} ci --ignore-scripts --no-audit --no-fund --silent
  COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/ui.npm
  DEPENDS ui/package-lock.json WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/ui
  COMMENT "npm ci for the page")
add_custom_command(
  OUTPUT ${page_files}
  COMMAND node ${CMAKE_CURRENT_SOURCE_DIR}/ui/build.mjs ${page_dir}
  DEPENDS ${page_sources} openapi.json ${CMAKE_BINARY_DIR}/ui.npm WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/ui
  COMMENT "the page")
add_custom_target(danelaw_page DEPENDS ${page_files})
