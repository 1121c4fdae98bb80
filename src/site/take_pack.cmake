# cmake -DFROM=build/web.pack -DTO=web.pack -P take_pack.cmake: the pack, or an empty one when the
# web was not built. A file that would be the same keeps its time, so that nothing is linked anew.
if(EXISTS ${FROM})
    execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${FROM} ${TO}
        COMMAND_ERROR_IS_FATAL ANY)
    return()
endif()
set(now "")
if(EXISTS ${TO})
    file(READ ${TO} now LIMIT 64)
endif()
if(NOT now STREQUAL "ripen-web 1 2\n[]")
    file(WRITE ${TO} "ripen-web 1 2\n[]")
endif()
