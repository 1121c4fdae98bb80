#include "api/refused_events.h"

#include <charconv>

#include "base/json.h"
#include "base/limits.h"

namespace api {

void RefusedEvents::Add(RefusedEvent event) {
    std::lock_guard lock(mutex_);
    event.number = total_.fetch_add(1, std::memory_order_relaxed) + 1;
    kept_.push_back(std::move(event));
    if (kept_.size() > limits::kRefusedEventsKept) kept_.pop_front();
}

base::Result<std::string> RefusedEvents::List(model::WorkspaceId workspace, int limit,
                                              std::string_view cursor) const {
    uint64_t before = UINT64_MAX;
    if (!cursor.empty()) {
        const char* const end = cursor.data() + cursor.size();
        const auto read = std::from_chars(cursor.data(), end, before);
        if (read.ec != std::errc() || read.ptr != end) {
            return base::Invalid("This is not a cursor of this list.", "cursor");
        }
    }
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("refused").Begin('[');
    std::lock_guard lock(mutex_);
    uint64_t last = 0;
    bool more = false;
    for (auto it = kept_.rbegin(); it != kept_.rend(); ++it) {
        if (it->workspace != workspace || it->number >= before) continue;
        if (limit-- == 0) {
            more = true;
            break;
        }
        last = it->number;
        w.Begin('{').Key("id").String(std::to_string(it->number)).Key("time").Time(it->time_ms);
        w.Key("key_id").String(it->key_id).Key("path").String(it->path);
        w.Key("index");
        if (it->index < 0) {
            w.Null();
        } else {
            w.Int(it->index);
        }
        w.Key("reason").String(it->reason).Key("raw").String(it->raw).End('}');
    }
    w.End(']').Key("next_cursor");
    if (more) {
        w.String(std::to_string(last));
    } else {
        w.Null();
    }
    w.End('}');
    return out;
}

void RefusedEvents::Forget(model::WorkspaceId workspace) {
    std::lock_guard lock(mutex_);
    std::erase_if(kept_, [&](const RefusedEvent& e) { return e.workspace == workspace; });
}

}  // namespace api
