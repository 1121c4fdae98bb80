# cmake -DINPUT=openapi.yaml -DOUTPUT=openapi.cc -P embed.cmake
file(READ ${INPUT} text)
# Literals stay below 16 KB each, which is what every compiler takes.
string(LENGTH "${text}" size)
set(pieces "")
set(at 0)
while(at LESS size)
    string(SUBSTRING "${text}" ${at} 8000 piece)
    string(APPEND pieces "R\"yaml(${piece})yaml\"\n    ")
    math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"api/openapi.h\"\n\nnamespace api {\n
std::string_view OpenApiYaml() {
    return ${pieces};
}\n
}  // namespace api\n")
