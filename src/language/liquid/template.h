// Liquid templates (Shopify's language): parse once, render for every letter.
//
// The language is logic-less and closed. A template sees the values it is given and nothing else:
// no environment, files, network, clock or reflection. Tags and filters are two fixed tables
// (FilterNames, TagNames); an unknown name is an error of Parse, never of Render.
//
// Budgets (base/limits.h): every render counts steps (one a node, loop round, filter or array
// item, one for each 64 bytes a filter or comparison reads or makes, one for each 256 bytes
// printed), nesting, and bytes of output; passing one ends the render with kTooLarge within
// milliseconds, whatever the template and the data are.
//
// Threads: a Template is immutable; any number of threads may render it at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"
#include "language/liquid/value.h"

namespace liquid {

struct Program;

struct Options {
    // Letters in HTML: everything that {{ }}, echo and cycle print is HTML-escaped, unless the
    // last filter made HTML of it (raw, safe, escape, escape_once, newline_to_br) or it was
    // captured with {% capture %}, whose text is escaped already. Off: Liquid's own semantics.
    bool escape_html = false;
    // A name that is not there is an error instead of nothing. For previews and tests.
    bool strict_variables = false;
    base::TimeMs now_ms = 0;  // What 'now' and 'today' mean.
    // IANA name, e.g. "Asia/Tokyo", in which dates are read and written. Empty: UTC.
    std::string_view zone;
    // Budgets; smaller ones for previews and tests.
    int64_t steps_max = limits::kTemplateStepsMax;
    int64_t loop_items_max = limits::kTemplateLoopItemsMax;
    size_t output_bytes_max = limits::kTemplateOutputBytesMax;
};

// A value that a template may ask its scope for.
struct Reference {
    // "person.first_name", "event.properties.items". Stops where the template computes a name:
    // {{ person[key] }} is "person" and whatever `key` is. A bare "person" means any part of it:
    // {% assign p = person %} or {% for pair in person %}.
    std::string path;
    // Where it stands first, "line:column".
    std::string at;
    // True when the template may have assigned the name itself before (inside an if), so that an
    // unknown name is no mistake. Claims hand such values over all the same.
    bool maybe_local = false;
};

// Pieces of text by name for {% render 'footer' %} and {% include 'footer' %}.
using PartialTexts = std::map<std::string, std::string, std::less<>>;

class Template {
  public:
    // Errors: kInvalidArgument with the place as "line:column" in `at` (partials:
    // "name:line:column") and a text for the author; kTooLarge past kTemplateBytesMax.
    static base::Result<Template> Parse(std::string_view text);
    static base::Result<Template> Parse(std::string_view text, const PartialTexts& partials);

    // Prints the template with the names of `scope` (an object or a drop).
    // Errors: kTooLarge past a budget; kInvalidArgument when the data does not fit the template,
    // such as dividing by zero; `at` is the place in the template.
    base::Result<std::string> Render(const Value& scope, const Options& options = {}) const;

    // Every value the template and its partials may ask for, sorted, each path once.
    std::vector<Reference> References() const;

  private:
    explicit Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
    std::shared_ptr<const Program> program_;  // Owners: copies of this template.
};

// The closed tables, sorted. docs/templates.md lists them; tests keep all three the same.
std::vector<std::string_view> FilterNames();
std::vector<std::string_view> TagNames();

}  // namespace liquid
