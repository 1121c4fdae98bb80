// A deleted workspace leaves the partition: its timers and definitions at once, its persons by a
// cursor (semantics 7).

#include "server/person_fold_erase.h"

#include <algorithm>

#include "server/payload.h"
#include "server/person_fold.h"

namespace server {

using model::Person;

void PersonFold::ApplyErased(const model::Record& record) {
    erased_.insert(record.workspace);
    std::erase_if(definitions_,
                  [&](const TakenUp& t) { return t.workspace == record.workspace; });
    const auto of_it = [&](const Cursor& c) { return c.definition.workspace == record.workspace; };
    if (!cursors_.empty() && of_it(cursors_.front())) cursor_listed_ = false;
    std::erase_if(cursors_, of_it);
    Cursor cursor;
    cursor.kind = Cursor::Kind::kErased;
    cursor.definition.workspace = record.workspace;
    cursors_.push_back(cursor);
    Rebuild();
}

bool PersonFold::Erasing() const {
    return std::any_of(cursors_.begin(), cursors_.end(),
                       [](const Cursor& c) { return c.kind == Cursor::Kind::kErased; });
}

void PersonFold::Erase(Person& person) {
    Touch(person);
    for (const auto& membership : person.segments) {
        members_[membership.segment].remove(person.slot);
    }
    if (!person.moved()) {
        --known_;
        if (person.facts) {
            for (const auto& message : person.facts->messages) {
                Announce(person, message, model::OutboxEvent::Kind::kClosed);
            }
        }
    }
    persons_.erase(person.id);
    gone_.push_back(PersonKeyOf(person.id));
    // The slot and her place in the list of the dirty stay; what was known of her goes.
    Person nobody;
    nobody.slot = person.slot;
    nobody.dirty = person.dirty;
    nobody.moved_to = kNowhere;
    person = std::move(nobody);
}

void PersonFold::EndErasing(model::WorkspaceId workspace) {
    tally_.Erase(workspace);
    workspaces_.erase(workspace);
}

}  // namespace server
