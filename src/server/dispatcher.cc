#include "server/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "base/check.h"
#include "base/json.h"
#include "server/dispatcher_core.h"

namespace server {

using model::OutboxEvent;

namespace {

constexpr auto kTendEvery = std::chrono::milliseconds(250);  // Looks at leases and failed appends.
// Until a sender is set; the server says so at the start.
constexpr std::string_view kTrialSender = "letters@localhost";

model::NewRecord RecordFor(const OutboxEvent& event, model::RecordKind kind, std::string payload) {
    model::NewRecord record;
    record.stream = event.stream;
    record.kind = kind;
    record.workspace = event.workspace;
    record.person = event.person;
    record.payload = std::move(payload);
    return record;
}

std::string ClaimPayload(const model::FactKey& message, bool again) {
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("message").Begin('[');
    w.Int(message.stream).Int(static_cast<int64_t>(message.offset)).Int(message.ordinal).End(']');
    w.Key("again").Bool(again).End('}');
    return payload;
}

base::Result<std::string> ReadKeyFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return base::Fail(base::ErrorCode::kNotFound, "dkim: cannot read " + path);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

// --- opening and ending --------------------------------------------------------------------------

// The people of a demo do not exist: no letter to them leaves the machine.
bool Dispatcher::Core::StaysHere(model::WorkspaceId workspace) const {
    const auto found = mailbox_ == nullptr ? nullptr : catalog_->FindWorkspace(workspace);
    return found != nullptr && found->demo;
}

base::Status Dispatcher::Core::Open(const catalog::Catalog& catalog) {
    catalog_ = &catalog;
    LetterMakerOptions letters;
    letters.public_url = options_.public_url;
    letters.from_address = options_.from_address;
    letters.from_name = options_.from_name;
    if (letters.from_address.empty()) letters.from_address = kTrialSender;
    if (!options_.dkim_domain.empty()) {
        letters.dkim_domain = options_.dkim_domain;
        letters.dkim_selector = options_.dkim_selector;
        TRY_ASSIGN(letters.dkim_key, ReadKeyFile(options_.dkim_key));
    }
    TRY_ASSIGN(maker_, LetterMaker::Create(catalog, std::move(letters)));
    std::string boot_id = options_.boot_id;
    if (boot_id.empty()) {
        TRY_ASSIGN(boot_id, MachineBootId());
    }
    TRY_ASSIGN(dots_, DotFile::Open(options_.directory + "/sending", boot_id));
    if (options_.smtp_url.empty()) {
        CHECK(mailbox_ != nullptr);
        open_max_ = limits::kOpenClaimsToMailbox;
    } else {
        smtp::Options pool;
        pool.url = options_.smtp_url;
        pool.connections_max = options_.connections;
        pool.tls_ca_file = options_.tls_ca_file;
        pool.times = options_.times;
        TRY_ASSIGN(pool_, smtp::Pool::Create(pool));
        open_max_ = static_cast<size_t>(options_.connections) * limits::kOpenClaimsPerConnection;
    }
    for (int n = 0; n < std::max(options_.workers, 1); ++n) {
        workers_.emplace_back([this] { Work(); });
    }
    return {};
}

void Dispatcher::Core::Stop() {
    {
        std::lock_guard asking(asking_mutex_);
        std::lock_guard lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
    }
    changed_.notify_all();
    for (auto& worker : workers_) worker.join();
    if (pool_) pool_->Close(options_.stop_grace_ms);
    Lock lock(mutex_);
    TellIdle(lock);
}

void Dispatcher::Core::Start(bool hold) {
    std::vector<Key> outcomes;
    Lock lock(mutex_);
    awaits_release_ = hold;
    started_ = true;
    std::vector<OutboxEvent> before;
    for (auto it = entries_.begin(); it != entries_.end();) {
        const auto entry = it++;
        if (entry->second.stage != Stage::kQueued || !entry->second.event.claimed_before) continue;
        before.push_back(std::move(entry->second.event));
        Erase(entry);
    }
    for (auto& event : before) Resolve(std::move(event), outcomes);
    for (const Key& message : outcomes) entries_.at(message).doubtful = true;
    doubtful_ = outcomes.size();
    const bool clear = dots_->doubt() && doubtful_ == 0;
    lock.unlock();
    // A header that cannot be written keeps its doubt for the next start.
    if (clear) (void)dots_->ClearDoubt();
    AppendOutcomes(outcomes);
    lock.lock();
    Pump(lock);
}

void Dispatcher::Core::SetHold(bool Core::*reason, bool on) {
    Lock lock(mutex_);
    this->*reason = on;
    changed_.notify_all();
    Pump(lock);
}

// --- the table -----------------------------------------------------------------------------------

Dispatcher::Core::Entry& Dispatcher::Core::Add(const Key& message) {
    ++queued_;
    return entries_[message];
}

void Dispatcher::Core::Move(Entry& entry, Stage stage) {
    const auto count = [this](Stage s, auto&& change) {
        change(s == Stage::kQueued ? queued_ : open_);
        if (s == Stage::kGranted) change(granted_count_);
    };
    count(entry.stage, [](size_t& n) { --n; });
    count(stage, [](size_t& n) { ++n; });
    entry.stage = stage;
}

void Dispatcher::Core::Erase(Entries::iterator entry) {
    Move(entry->second, Stage::kQueued);
    --queued_;
    if (entry->second.doubtful) --doubtful_;
    entries_.erase(entry);
}

void Dispatcher::Core::OnOutbox(std::vector<OutboxEvent> events) {
    std::vector<Key> outcomes;
    Lock lock(mutex_);
    for (auto& event : events) Take(std::move(event), outcomes);
    lock.unlock();
    AppendOutcomes(outcomes);
    lock.lock();
    Pump(lock);
}

void Dispatcher::Core::Take(OutboxEvent event, std::vector<Key>& outcomes) {
    switch (event.kind) {
        case OutboxEvent::Kind::kWaiting:
            TakeWaiting(std::move(event), outcomes);
            return;
        case OutboxEvent::Kind::kGranted:
            TakeGranted(std::move(event));
            return;
        case OutboxEvent::Kind::kClosed:
            break;
    }
    const auto found = entries_.find(event.message);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    if (entry.stage == Stage::kQueued || entry.stage == Stage::kClaiming) {
        Erase(found);
        return;
    }
    // A granted one goes on: the person moved away, and the outcome is sent after her.
    entry.next.reset();
}

void Dispatcher::Core::TakeWaiting(OutboxEvent event, std::vector<Key>& outcomes) {
    const auto found = entries_.find(event.message);
    if (found == entries_.end()) {
        if (event.claimed_before && started_) {
            Resolve(std::move(event), outcomes);
            return;
        }
        const Key message = event.message;
        Add(message).event = std::move(event);
        queue_.push_back(message);
        return;
    }
    Entry& entry = found->second;
    // Claimed, and by us: the person came here while her letter was on its way.
    if (event.claimed_before && entry.stage != Stage::kQueued) return;
    switch (entry.stage) {
        case Stage::kQueued:
            entry.event = std::move(event);
            return;
        case Stage::kClaiming:
            // The fold put it off and now lets it go.
            entry.event = std::move(event);
            Move(entry, Stage::kQueued);
            queue_.push_back(found->first);
            return;
        case Stage::kGranted:
        case Stage::kSending:
        case Stage::kSettling:
            entry.next = std::move(event);
            return;
    }
}

void Dispatcher::Core::TakeGranted(OutboxEvent event) {
    auto found = entries_.find(event.message);
    if (found == entries_.end()) {
        Add(event.message);
        found = entries_.find(event.message);
    }
    Entry& entry = found->second;
    if (entry.stage == Stage::kSettling) {
        entry.next = std::move(event);
        return;
    }
    if (entry.stage == Stage::kGranted || entry.stage == Stage::kSending) return;
    entry.event = std::move(event);
    Move(entry, Stage::kGranted);
    granted_.push_back(found->first);
    changed_.notify_one();
}

// A message that a process claimed that is gone, or that came here claimed.
void Dispatcher::Core::Resolve(OutboxEvent event, std::vector<Key>& outcomes) {
    const Key message = event.message;
    const Fate fate = dots_->Find(message, event.attempt);
    if (fate == Fate::kSettled) return;  // Its outcome is on the way to where she lives now.
    Entry& entry = Add(message);
    entry.event = std::move(event);
    entry.again = true;
    if (fate == Fate::kNotSent) {
        queue_.push_front(message);
        return;
    }
    entry.outcome = {Outcome::State::kAmbiguous,
                     "the server went down while the letter was being sent"};
    Move(entry, Stage::kSettling);
    outcomes.push_back(message);
}

// --- claims --------------------------------------------------------------------------------------

void Dispatcher::Core::EndLeases() {
    const int64_t now = base::SteadyNanos();
    while (!claims_.empty() && now - claims_.front().at_nanos > limits::kClaimLeaseMs * 1'000'000) {
        const auto found = entries_.find(claims_.front().message);
        if (found != entries_.end() && found->second.stage == Stage::kClaiming &&
            found->second.claim == claims_.front().claim) {
            Erase(found);
        }
        claims_.pop_front();
    }
}

// Unlocks.
void Dispatcher::Core::Pump(Lock& lock) {
    EndLeases();
    std::vector<Claim> claims;
    std::vector<model::NewRecord> records;
    while (!held() && !stopping_ && doubtful_ == 0 && !append_again_ && open_ < open_max_ &&
           !queue_.empty()) {
        const Key message = queue_.front();
        queue_.pop_front();
        const auto found = entries_.find(message);
        if (found == entries_.end() || found->second.stage != Stage::kQueued) continue;
        Entry& entry = found->second;
        Move(entry, Stage::kClaiming);
        entry.claim = next_claim_++;
        claims.push_back({message, entry.claim, base::SteadyNanos(), entry.event.stream});
        records.push_back(
            RecordFor(entry.event, model::RecordKind::kClaim, ClaimPayload(message, entry.again)));
    }
    claims_.insert(claims_.end(), claims.begin(), claims.end());
    TellIdle(lock);
    if (records.empty()) return;
    log_.Append(std::move(records), [self = shared_from_this(), claims](auto result) {
        self->Claimed(claims, std::move(result));
    });
}

void Dispatcher::Core::Claimed(const std::vector<Claim>& claims,
                               base::Result<std::vector<event_log::Position>> result) {
    if (result) {
        std::lock_guard asking(asking_mutex_);
        {
            std::lock_guard lock(mutex_);
            counts_.claims += claims.size();
            if (stopping_) return;
        }
        for (size_t n = 0; options_.when_folded && n < claims.size(); ++n) {
            const Claim& claim = claims[n];
            options_.when_folded(claim.stream, (*result)[n].offset,
                                 [self = shared_from_this(), claim] {
                                     self->Unanswered(claim.message, claim.claim);
                                 });
        }
        return;
    }
    std::lock_guard lock(mutex_);
    counts_.append_failures += claims.size();
    append_again_ = true;
    for (auto it = claims.rbegin(); it != claims.rend(); ++it) {
        const auto found = entries_.find(it->message);
        if (found == entries_.end() || found->second.stage != Stage::kClaiming ||
            found->second.claim != it->claim) {
            continue;
        }
        Move(found->second, Stage::kQueued);
        queue_.push_front(it->message);
    }
}

// The claim was folded, or its lease is over, and no news came: the fold did not want it. A grant
// that comes all the same is taken.
void Dispatcher::Core::Unanswered(const Key& message, uint64_t claim) {
    Lock lock(mutex_);
    const auto found = entries_.find(message);
    if (found == entries_.end() || found->second.stage != Stage::kClaiming ||
        found->second.claim != claim) {
        return;
    }
    Erase(found);
    Pump(lock);
}

// --- workers -------------------------------------------------------------------------------------

void Dispatcher::Core::Work() {
    Lock lock(mutex_);
    while (!stopping_) {
        if (held() || granted_.empty()) {
            changed_.wait_for(lock, kTendEvery);
            Tend(lock);
            continue;
        }
        const Key message = granted_.front();
        granted_.pop_front();
        const auto found = entries_.find(message);
        if (found == entries_.end() || found->second.stage != Stage::kGranted) continue;
        Send(lock, message);
    }
}

// Ends overdue leases and offers the log again what it did not take.
void Dispatcher::Core::Tend(Lock& lock) {
    if (stopping_) return;
    std::vector<Key> unlogged;
    if (append_again_) unlogged.swap(unlogged_);
    append_again_ = false;
    lock.unlock();
    AppendOutcomes(unlogged);
    lock.lock();
    Pump(lock);
    lock.lock();
}

void Dispatcher::Core::Send(Lock& lock, const Key& message) {
    Entry& entry = entries_.at(message);
    Move(entry, Stage::kSending);
    OutboxEvent event = std::move(entry.event);
    entry.event.stream = event.stream;  // What the outcome needs stays.
    entry.event.workspace = event.workspace;
    entry.event.person = event.person;
    entry.event.attempt = event.attempt;
    lock.unlock();
    auto made = maker_->Make(event, clock_.Now());
    if (made) {
        Hand(event, std::move(*made));
    } else {
        Finish(message, {Outcome::State::kFailed, base::ClientText(made.error())});
    }
    lock.lock();
}

void Dispatcher::Core::Hand(const OutboxEvent& event, MadeLetter made) {
    const Key message = event.message;
    const auto not_sent = [&](const base::Error& error) {
        smtp::SendResult result;
        result.text = base::ClientText(error);
        Finish(message, OutcomeOf(result, event, schedule_, clock_.Now()));
    };
    if (!pool_ || StaysHere(event.workspace)) {
        api::MailboxLetter letter;
        letter.id = std::move(made.mailbox_id);
        letter.workspace = event.workspace;
        letter.person = event.person;
        letter.to = std::move(made.to);
        letter.subject = std::move(made.subject);
        letter.time_ms = clock_.Now();
        letter.text = std::move(made.text);
        letter.html = std::move(made.html);
        letter.raw = std::move(made.bytes);
        const auto stored = mailbox_->Store(std::move(letter));
        if (!stored) return not_sent(stored.error());
        return Finish(message, {Outcome::State::kSent, "kept in the built-in mailbox"});
    }
    smtp::Letter letter{std::move(made.envelope_from), std::move(made.to), std::move(made.bytes),
                        0};
    // What OutcomeOf reads; the values are not kept while the letter waits.
    OutboxEvent brief;
    brief.message = message;
    brief.attempt = event.attempt;
    brief.created_ms = event.created_ms;
    // The pool ends before the core does, so `this` is enough.
    const auto sent = pool_->Send(
        std::move(letter),
        [this, message, attempt = event.attempt](uint64_t) {
            return dots_->Mark(message, attempt);
        },
        [this, brief](uint64_t, const smtp::SendResult& result) {
            Finish(brief.message, OutcomeOf(result, brief, schedule_, clock_.Now()));
        });
    if (sent) return;
    if (base::RetryHelps(sent.error().code)) return not_sent(sent.error());
    Finish(message, {Outcome::State::kFailed, base::ClientText(sent.error())});
}

// --- outcomes ------------------------------------------------------------------------------------

void Dispatcher::Core::Finish(const Key& message, Outcome outcome) {
    {
        std::lock_guard lock(mutex_);
        Entry& entry = entries_.at(message);
        Move(entry, Stage::kSettling);
        entry.outcome = std::move(outcome);
    }
    AppendOutcomes({message});
}

void Dispatcher::Core::AppendOutcomes(const std::vector<Key>& messages) {
    if (messages.empty()) return;
    std::vector<model::NewRecord> records;
    {
        std::lock_guard lock(mutex_);
        for (const Key& message : messages) {
            const Entry& entry = entries_.at(message);
            records.push_back(RecordFor(entry.event, model::RecordKind::kOutcome,
                                        OutcomePayload(message, entry.outcome)));
        }
    }
    log_.Append(std::move(records), [self = shared_from_this(), messages](auto result) {
        self->Settled(messages,
                      result ? base::Status() : tl::make_unexpected(std::move(result.error())));
    });
}

void Dispatcher::Core::Count(Outcome::State state) {
    switch (state) {
        case Outcome::State::kSent:
            ++counts_.sent;
            return;
        case Outcome::State::kFailed:
            ++counts_.failed;
            return;
        case Outcome::State::kAmbiguous:
            ++counts_.ambiguous;
            return;
        case Outcome::State::kTemporary:
            ++counts_.deferred;
            return;
    }
}

void Dispatcher::Core::Settled(const std::vector<Key>& messages, const base::Status& status) {
    std::vector<Key> outcomes;
    Lock lock(mutex_);
    if (!status) {
        // After kIo the process has to exit; until then the messages stay as they are.
        counts_.append_failures += messages.size();
        unlogged_.insert(unlogged_.end(), messages.begin(), messages.end());
        append_again_ = true;
        return;
    }
    const size_t doubtful_before = doubtful_;
    for (const Key& message : messages) {
        const auto found = entries_.find(message);
        CHECK(found != entries_.end() && found->second.stage == Stage::kSettling);
        Entry& entry = found->second;
        Count(entry.outcome.state);
        dots_->Settle(message, entry.event.attempt);
        auto next = std::move(entry.next);
        Erase(found);
        if (next) Take(std::move(*next), outcomes);
    }
    const bool clear = doubtful_before > 0 && doubtful_ == 0;
    // A header that cannot be written keeps its doubt for the next start.
    if (clear && dots_->doubt()) (void)dots_->ClearDoubt();
    lock.unlock();
    AppendOutcomes(outcomes);
    lock.lock();
    Pump(lock);
}

// --- idle ----------------------------------------------------------------------------------------

bool Dispatcher::Core::IsIdle() const {
    if (stopping_) return true;
    return held() ? open_ == granted_count_ : queued_ == 0 && open_ == 0;
}

// Unlocks.
void Dispatcher::Core::TellIdle(Lock& lock) {
    std::vector<std::function<void()>> done;
    if (!idle_.empty() && IsIdle()) done.swap(idle_);
    lock.unlock();
    for (const auto& call : done) call();
}

void Dispatcher::Core::WhenIdle(std::function<void()> done) {
    Lock lock(mutex_);
    idle_.push_back(std::move(done));
    TellIdle(lock);
}

bool Dispatcher::Core::Idle() const {
    std::lock_guard lock(mutex_);
    return IsIdle();
}

DispatcherCounts Dispatcher::Core::Counters() const {
    DispatcherCounts counts;
    {
        std::lock_guard lock(mutex_);
        counts = counts_;
        counts.waiting = queued_;
        counts.in_flight = open_;
        counts.awaits_release = awaits_release_;
        counts.clock_ahead = clock_ahead_;
    }
    if (pool_) counts.pool = pool_->Counts();
    return counts;
}

// --- the outside ---------------------------------------------------------------------------------

base::Result<std::unique_ptr<Dispatcher>> Dispatcher::Create(event_log::Log& log,
                                                             const catalog::Catalog& catalog,
                                                             const base::Clock& clock,
                                                             FileMailbox* mailbox,
                                                             DispatcherOptions options) {
    if (options.connections < 1 || options.connections > limits::kSmtpConnectionsMax) {
        return base::Invalid(
            "connections must be 1 to " + std::to_string(limits::kSmtpConnectionsMax),
            "connections");
    }
    TRY_ASSIGN(const auto schedule, delivery::RetrySchedule::Create({}));
    auto core = std::make_shared<Core>(log, clock, mailbox, std::move(options), schedule);
    std::unique_ptr<Dispatcher> dispatcher(new Dispatcher(core));
    TRY(core->Open(catalog));
    return dispatcher;
}

Dispatcher::Dispatcher(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::OnOutbox(std::vector<OutboxEvent> events) { core_->OnOutbox(std::move(events)); }
void Dispatcher::Start(bool hold) { core_->Start(hold); }
void Dispatcher::Release() { core_->SetHold(&Core::awaits_release_, false); }
void Dispatcher::Hold(bool hold) { core_->SetHold(&Core::clock_ahead_, hold); }
void Dispatcher::WhenIdle(std::function<void()> done) { core_->WhenIdle(std::move(done)); }
bool Dispatcher::Idle() const { return core_->Idle(); }
void Dispatcher::Stop() { core_->Stop(); }
DispatcherCounts Dispatcher::Counters() const { return core_->Counters(); }

}  // namespace server
