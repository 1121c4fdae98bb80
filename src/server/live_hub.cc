#include "server/live_hub.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "net/websocket/frame.h"
#include "server/asking.h"
#include "server/live_room.h"
#include "server/person_list.h"

namespace server {
namespace {

using api::LiveScreenPtr;
using api::LiveTopic;
using model::PersonId;
using model::WorkspaceId;
using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using TextFrame = std::shared_ptr<const std::string>;

constexpr milliseconds kAskTurn(50);          // Then the hub looks whether it is to end.
constexpr base::DurationMs kLookBackMs = base::kHourMs;   // Who is here came within this time.

TextFrame FrameOf(std::string_view json) {
    return std::make_shared<const std::string>(websocket::Frame(websocket::Opcode::kText, json));
}

// What one look at all partitions brings.
struct Part {
    model::Offset applied = 0;
    std::vector<model::Offset> dropped;              // Copies since `next`, rising.
    std::map<WorkspaceId, Numbers> numbers;
    std::map<PersonId, std::string> names;
};

// One open card, for all screens that show it.
struct Card {
    PersonId asked;
    PersonBellPtr bell;
    std::set<PersonId> watched;                      // Her, and whom she became.
    std::set<LiveScreenPtr> screens;
    SteadyTime sent_at{};
};

class Hub final : public LiveHub {
  public:
    Hub(engine::Engine& engine, event_log::Log& log, const catalog::Catalog& catalog,
        const identity::LinkMap& links, base::Clock& clock)
        : engine_(engine), log_(log), catalog_(catalog), links_(links), clock_(clock),
          next_(static_cast<size_t>(engine.partitions()), 0), thread_([this] { Run(); }) {}
    ~Hub() override { Stop(); }

    void Subscribe(const LiveScreenPtr& screen, WorkspaceId workspace, LiveTopic topic,
                   const PersonId& person) override {
        Command([=, this] { TakeIn(screen, workspace, topic, person); });
    }
    void Unsubscribe(const LiveScreenPtr& screen, LiveTopic topic,
                     const PersonId& person) override {
        Command([=, this] { LetGo(screen, topic, person); });
    }
    void Leave(const LiveScreenPtr& screen) override {
        Command([=, this] {
            for (const LiveTopic topic :
                 {LiveTopic::kCounts, LiveTopic::kEvents, LiveTopic::kVisitors}) {
                LetGo(screen, topic, {});
            }
            for (auto it = cards_.begin(); it != cards_.end();) it = DropFrom(it, screen);
        });
    }

    void Stop() override {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

  private:
    using Cards = std::map<std::pair<WorkspaceId, PersonId>, Card>;

    void Command(std::function<void()> command) {
        {
            std::lock_guard lock(mutex_);
            if (stopping_) return;
            commands_.push_back(std::move(command));   // Bounded by what screens may send.
        }
        changed_.notify_all();
    }
    void Wake() {
        {
            std::lock_guard lock(mutex_);
            rung_ = true;
        }
        changed_.notify_all();
    }

    // --- the hub's thread ------------------------------------------------------------------------

    void Run() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            if (commands_.empty() && !rung_) {
                const SteadyTime due = NextDue();
                if (due == SteadyTime::max()) {
                    changed_.wait(lock);
                    continue;
                }
                if (std::chrono::steady_clock::now() < due) {
                    changed_.wait_until(lock, due);
                    continue;
                }
            }
            std::vector<std::function<void()>> commands;
            commands.swap(commands_);
            rung_ = false;
            lock.unlock();
            for (const auto& command : commands) command();
            ShowCards();
            ShowRooms();
            lock.lock();
        }
    }

    SteadyTime NextDue() const {
        SteadyTime due = cards_due_;
        for (const auto& [number, room] : rooms_) due = std::min(due, room.NextDue());
        return due;
    }

    bool Stopping() {
        std::lock_guard lock(mutex_);
        return stopping_;
    }

    void TakeIn(const LiveScreenPtr& screen, WorkspaceId workspace, LiveTopic topic,
                const PersonId& person) {
        if (topic != LiveTopic::kPerson) {
            rooms_.try_emplace(workspace, workspace).first->second.Enter(screen, topic);
            return;
        }
        Card& card = cards_[{workspace, person}];
        if (!card.bell) {
            card.asked = person;
            card.bell = std::make_shared<PersonBell>();
            card.bell->workspace = workspace;
            card.bell->wake = [this] { Wake(); };
            // Who has just asked knows: the first ring is for whom she may have become meanwhile.
            Follow(card);
        }
        card.screens.insert(screen);
    }

    void LetGo(const LiveScreenPtr& screen, LiveTopic topic, const PersonId& person) {
        if (topic == LiveTopic::kPerson) {
            for (auto it = cards_.begin(); it != cards_.end();) {
                it = it->first.second == person ? DropFrom(it, screen) : std::next(it);
            }
            return;
        }
        for (auto it = rooms_.begin(); it != rooms_.end();) {
            it->second.Leave(screen, topic);
            it = it->second.empty() ? rooms_.erase(it) : std::next(it);
        }
    }

    Cards::iterator DropFrom(Cards::iterator it, const LiveScreenPtr& screen) {
        Card& card = it->second;
        card.screens.erase(screen);
        if (!card.screens.empty()) return std::next(it);
        for (const PersonId& id : card.watched) {
            engine_.Post(model::PartitionOf(id, engine_.partitions()),
                         [id, bell = card.bell](engine::Fold& fold) {
                             static_cast<PersonFold&>(fold).live().Unwatch(id, bell);
                             return true;
                         });
        }
        return cards_.erase(it);
    }

    // --- cards -----------------------------------------------------------------------------------

    // Watches her, and whom she has become.
    void Follow(Card& card) {
        for (const PersonId& id : {card.asked, links_.Root(card.asked)}) {
            if (!card.watched.insert(id).second) continue;
            engine_.Post(model::PartitionOf(id, engine_.partitions()),
                         [id, bell = card.bell](engine::Fold& fold) {
                             static_cast<PersonFold&>(fold).live().Watch(id, bell);
                             return true;
                         });
        }
    }

    void ShowCards() {
        const SteadyTime now = std::chrono::steady_clock::now();
        cards_due_ = SteadyTime::max();
        for (auto& [key, card] : cards_) {
            if (!card.bell->rung.load(std::memory_order_acquire)) continue;
            const SteadyTime due = card.sent_at + milliseconds(limits::kLiveFrameMs);
            if (now < due) {
                cards_due_ = std::min(cards_due_, due);
                continue;
            }
            card.bell->rung.store(false, std::memory_order_release);
            card.sent_at = now;
            Follow(card);
            const TextFrame frame = FrameOf(R"({"topic":"person","id":")" +
                                            model::ToText(card.asked) +
                                            R"(","data":{"changed":true}})");
            for (const auto& screen : card.screens) screen->Show(frame);
        }
    }

    // --- rooms -----------------------------------------------------------------------------------

    void ShowRooms() {
        const SteadyTime now = std::chrono::steady_clock::now();
        bool due = false;
        for (const auto& [number, room] : rooms_) due = due || room.NextDue() <= now;
        if (!due) {
            if (rooms_.empty()) reading_ = false;
            return;
        }
        const auto parts = Look(now);
        if (!parts) return;
        ReadOn(*parts);
        const base::TimeMs time = clock_.Now();
        for (auto& [number, room] : rooms_) {
            if (room.CountsDue(now)) {
                Numbers all;
                for (const Part& part : *parts) {
                    const auto found = part.numbers.find(number);
                    if (found != part.numbers.end()) all.Add(found->second);
                }
                room.ShowCounts(CountsBody(all, catalog_, number), now);
            }
            room.ShowEvents(reader_, links_, now);
            if (room.VisitorsDue(now)) ShowVisitors(room, time, now);
        }
    }

    // Asks every partition; nullopt: the hub is to end.
    template <typename Ask>   // Ask(const PersonFold&, size_t partition, Part&)
    std::optional<std::vector<Part>> AskAllParts(Ask ask) {
        struct Asked {
            std::mutex mutex;
            std::condition_variable done;
            std::vector<Part> parts;
            size_t missing = 0;
        };
        const auto asked = std::make_shared<Asked>();
        asked->parts.resize(next_.size());
        asked->missing = next_.size();
        for (size_t p = 0; p < next_.size(); ++p) {
            engine_.Post(static_cast<model::StreamId>(p), [asked, ask, p](engine::Fold& fold) {
                ask(static_cast<const PersonFold&>(fold), p, asked->parts[p]);
                std::lock_guard lock(asked->mutex);
                if (--asked->missing == 0) asked->done.notify_all();
                return true;
            });
        }
        std::unique_lock lock(asked->mutex);
        while (asked->missing > 0) {
            asked->done.wait_for(lock, kAskTurn);
            if (asked->missing > 0 && Stopping()) return std::nullopt;
        }
        return std::move(asked->parts);
    }

    std::optional<std::vector<Part>> Look(SteadyTime now) {
        // Whose numbers are wanted: the segments of each room that is to see its counts.
        std::vector<std::pair<WorkspaceId, std::vector<uint32_t>>> wanted;
        for (const auto& [number, room] : rooms_) {
            if (!room.CountsDue(now)) continue;
            auto& segments = wanted.emplace_back(number, std::vector<uint32_t>()).second;
            for (const auto& segment : catalog_.Segments(number)) {
                segments.push_back(segment->number);
            }
        }
        return AskAllParts([wanted, time = clock_.Now(), next = next_](
                               const PersonFold& fold, size_t p, Part& part) {
            part.applied = fold.applied();
            part.dropped = fold.live().DroppedFrom(next[p]);
            std::sort(part.dropped.begin(), part.dropped.end());
            for (const auto& [workspace, segments] : wanted) {
                part.numbers[workspace] = NumbersOf(fold, workspace, time, segments);
            }
        });
    }

    // Gives the rooms what was folded since the last look.
    void ReadOn(const std::vector<Part>& parts) {
        bool wanted = false, fresh = false;
        for (const auto& [number, room] : rooms_) {
            wanted = wanted || room.WantsTail();
            fresh = fresh || room.WantsPast();
        }
        if (fresh) ReadBack(parts);
        std::vector<std::shared_ptr<const void>> hold;
        for (size_t p = 0; p < parts.size(); ++p) {
            const model::Offset applied = parts[p].applied;
            hold.clear();
            if (wanted && reading_ && next_[p] <= applied) {
                const model::Offset last = ReadTail(
                    log_, static_cast<model::StreamId>(p), next_[p], applied,
                    limits::kLiveReadBytesMax, hold, [&](const model::Record& record) {
                        if (!IsCopy(parts[p], record)) Give(record, false);
                        return true;
                    });
                // What we are too slow for was not seen by anybody.
                for (auto& [number, room] : rooms_) room.Skip(applied - last);
            }
            next_[p] = applied + 1;
        }
        reading_ = wanted;
    }

    static bool IsCopy(const Part& part, const model::Record& record) {
        return std::binary_search(part.dropped.begin(), part.dropped.end(), record.offset);
    }

    // Who is here when somebody begins to look: from the end of the log, backwards.
    void ReadBack(const std::vector<Part>& parts) {
        const base::TimeMs since = clock_.Now() - kLookBackMs;
        for (size_t p = 0; p < parts.size(); ++p) {
            const auto stream = static_cast<model::StreamId>(p);
            const model::Offset upto = reading_ ? next_[p] - 1 : parts[p].applied;
            const model::Offset back = std::min<model::Offset>(upto, limits::kLiveLookBackRecords);
            const model::Offset from = std::max(log_.Begin(stream), upto - back + 1);
            if (upto < from) continue;
            std::vector<std::shared_ptr<const void>> hold;
            ReadTail(log_, stream, from, upto, SIZE_MAX, hold, [&](const model::Record& record) {
                if (record.time_ms >= since) Give(record, true);
                return true;
            });
        }
        for (auto& [number, room] : rooms_) room.PastRead();
    }

    void Give(const model::Record& record, bool past) {
        const auto it = rooms_.find(record.workspace);
        if (it == rooms_.end()) return;
        Room& room = it->second;
        if (past && !room.WantsPast()) return;
        TailRecord tail{record, {}};
        if (!IsShownEvent(record, tail.event)) return;
        if (!past) room.AddEvent(tail);
        if (room.WantsVisits()) room.AddVisit(tail, reader_, links_);
    }

    void ShowVisitors(Room& room, base::TimeMs time, SteadyTime now) {
        const auto here = room.Here(time, links_);
        std::vector<std::vector<PersonId>> ids(next_.size());
        for (const auto& [id, visitor] : here) {
            ids[model::PartitionOf(id, engine_.partitions())].push_back(id);
        }
        std::map<PersonId, std::string> names;
        if (!here.empty()) {
            auto parts = AskAllParts([ids](const PersonFold& fold, size_t p, Part& part) {
                for (const PersonId& id : ids[p]) {
                    const model::Person* const person = fold.Find(id);
                    if (person == nullptr || person->moved()) continue;
                    part.names[id] = ShownName(*person, fold.names());
                }
            });
            if (!parts) return;
            for (Part& part : *parts) names.merge(part.names);
        }
        room.ShowVisitors(here, names, now);
    }

    engine::Engine& engine_;
    event_log::Log& log_;
    const catalog::Catalog& catalog_;
    const identity::LinkMap& links_;
    base::Clock& clock_;
    // --- the hub's thread ---
    std::vector<model::Offset> next_;      // Of each partition: what the rooms have not seen.
    bool reading_ = false;                 // next_ goes on where the last look ended.
    std::map<WorkspaceId, Room> rooms_;
    Cards cards_;
    SteadyTime cards_due_ = SteadyTime::max();
    model::EventReader reader_;
    // --- shared ---
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::function<void()>> commands_;
    bool rung_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<LiveHub> LiveHub::Start(engine::Engine& engine, event_log::Log& log,
                                        const catalog::Catalog& catalog,
                                        const identity::LinkMap& links, base::Clock& clock) {
    return std::make_unique<Hub>(engine, log, catalog, links, clock);
}

}  // namespace server
