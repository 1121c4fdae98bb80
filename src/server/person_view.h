// A person as JSON: for the API and for templates.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "model/names.h"
#include "model/person.h"

namespace server {

// Name of a segment or journey for people; empty: by its id.
using NameOf = std::function<std::string(uint32_t number)>;

// Appends {"name": value, ...}: the attributes, by name.
void WriteAttributes(base::JsonWriter& w, const model::Person& person, const model::Names& names);

// Appends the whole card.
void WritePerson(base::JsonWriter& w, const model::Person& person, const model::Names& names,
                 const NameOf& segment_name, const NameOf& journey_name);

// Appends one message as the API shows it. `step` is the id of the step in the journey.
void WriteMessage(base::JsonWriter& w, const model::Person& person, const model::Message& message,
                  std::string_view step);

}  // namespace server
