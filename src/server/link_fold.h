// The fold of the links stream: joining calls in, moves of persons out (semantics 16). The map it
// keeps is shared with ingest, which asks it whose a record is.
//
// Threads: as engine::Fold; the map locks itself.
#pragma once

#include "engine/fold.h"
#include "flow/identity/link_map.h"

namespace server {

class LinkFold final : public engine::Fold {
  public:
    LinkFold(model::StreamId stream, int partitions, identity::LinkMap& map)
        : stream_(stream), partitions_(partitions), map_(map) {}

    void Prefetch(const model::Record&) override {}
    void Apply(const model::Record& record) override;
    base::TimeMs NextDue() const override { return base::kNeverMs; }
    bool WantsTick() const override { return false; }
    model::Offset applied() const override { return offset_; }
    base::TimeMs now() const override { return now_; }
    const std::deque<engine::Relay>& relays() const override { return relays_; }
    void TakeRows(std::string&) override {}
    void TakeOutbox(std::vector<model::OutboxEvent>&) override {}
    void ListOutbox(std::vector<model::OutboxEvent>&) override {}
    bool Dirty() const override { return offset_ != frozen_offset_; }
    void Freeze() override;
    bool WriteFrozen(engine::StateSink& sink, size_t entries_max) override;
    bool Load(std::string_view key, std::string_view value) override;
    base::Status Loaded() override;
    void Dump(std::string& out) override;

  private:
    std::string EncodeMeta() const;

    const model::StreamId stream_;
    const int partitions_;
    identity::LinkMap& map_;
    model::Offset offset_ = 0;
    base::TimeMs now_ = 0;
    std::deque<engine::Relay> relays_;
    model::Offset frozen_offset_ = 0;
    std::vector<std::pair<std::string, std::string>> frozen_;
    size_t frozen_at_ = 0;
};

}  // namespace server
