#include "event_log/event_log.h"

#include <future>

namespace event_log {

base::Result<std::vector<Position>> Log::AppendAndWait(std::vector<NewRecord> records) {
    std::promise<base::Result<std::vector<Position>>> answer;
    auto result = answer.get_future();
    Append(std::move(records), [&answer](base::Result<std::vector<Position>> positions) {
        answer.set_value(std::move(positions));
    });
    CommitBeforeWait();
    return result.get();
}

}  // namespace event_log
