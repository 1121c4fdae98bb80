#include "language/liquid/template.h"

#include "language/liquid/parser.h"
#include "language/liquid/references.h"
#include "language/liquid/renderer.h"

namespace liquid {

base::Result<Template> Template::Parse(std::string_view text) {
    return Parse(text, {});
}

base::Result<Template> Template::Parse(std::string_view text, const PartialTexts& partials) {
    std::vector<std::string_view> names;
    for (const auto& [name, source] : partials) names.push_back(name);
    auto parsed = std::make_shared<std::map<std::string, Program, std::less<>>>();
    for (const auto& [name, source] : partials) {
        Program& partial = (*parsed)[name];
        partial.name = name;
        partial.source = source;
        TRY(ParseProgram(partial, names));
    }
    // The programs point at the map that holds them, which their template owns; a shared_ptr
    // without an owner keeps that from being a circle.
    for (auto& [name, partial] : *parsed) {
        partial.partials = std::shared_ptr<const std::map<std::string, Program, std::less<>>>(
            std::shared_ptr<void>(), parsed.get());
    }
    auto program = std::make_shared<Program>();
    program->source = text;
    program->partials = std::move(parsed);
    TRY(ParseProgram(*program, names));
    return Template(std::move(program));
}

base::Result<std::string> Template::Render(const Value& scope, const Options& options) const {
    return Renderer(*program_, scope, options).Run();
}

std::vector<Reference> Template::References() const {
    return ReferenceCollector(*program_).Collect();
}

}  // namespace liquid
