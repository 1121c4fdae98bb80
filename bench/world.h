// A data directory that the bench itself has open, and definitions taken up in its partitions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bench/traffic.h"
#include "catalog/catalog.h"
#include "event_log/embedded/embedded_log.h"

namespace bench {

class World {
  public:
    // Makes a directory as server::Initialise does.
    explicit World(const std::string& directory,
                   int partitions = limits::kPartitionsDefault);

    event_log::EmbeddedLog& log() { return *log_; }
    catalog::Catalog& catalog() { return *catalog_; }
    base::Clock& clock() { return clock_; }
    const RecordMaker& maker() const { return *maker_; }
    const std::string& write_key() const { return write_key_; }
    const std::string& secret_key() const { return secret_key_; }

    // Saves segments of these conditions.
    std::vector<catalog::SegmentPtr> Save(const std::vector<std::string>& conditions);
    // Has them taken up by every partition, as the publisher does where there is no history.
    void TakeUp(const std::vector<catalog::SegmentPtr>& segments);

    // Track calls of `persons` by Zipf, `events` of them, with message ids from `first_message`.
    void AppendTracks(uint64_t events, uint64_t persons, uint64_t first_message);
    // One identify call with 20 attributes for each of `persons`.
    void AppendIdentifies(uint64_t persons);
    void Append(std::vector<model::NewRecord> records);

  private:
    base::SystemClock clock_;
    std::string write_key_;
    std::string secret_key_;
    std::unique_ptr<event_log::EmbeddedLog> log_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<RecordMaker> maker_;
};

// The records by which a definition begins and is shown.
model::NewRecord DefinitionRecord(const catalog::Segment& segment, model::StreamId stream,
                                  model::RecordKind kind);

}  // namespace bench
