// Takes away what a deleted workspace left behind: its persons in all partitions, its letters in
// the built-in mailbox, its rows in the warehouse and the checkpoints that held it.
//
// The deletion itself is a record of the control stream (catalog.h); nothing else is written down.
// Every start looks again at all workspaces that were ever deleted and does what is not done:
//   kErased records to the partitions that have none, then until their cursors are through;
//   mailbox files; a count of the workspace's rows in the warehouse and, when there are any, their
//   removal, after the rows that waited in the spool have been dropped (WriterOptions::dropped);
//   a checkpoint, when persons went.
// A part that does not answer is asked again every 5 s.
//
// Threads: one of its own; every function from any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event_log/event_log.h"
#include "server/mailbox.h"
#include "store/warehouse/client.h"
#include "store/warehouse/writer.h"

namespace server {

struct EraserParts {     // All outlive the eraser.
    engine::Engine& engine;
    event_log::Log& log;
    const catalog::Catalog& catalog;
    warehouse::Writer* writer = nullptr;         // nullptr: there is no warehouse.
    warehouse::Warehouse* warehouse = nullptr;
    FileMailbox* mailbox = nullptr;              // nullptr: letters leave by SMTP.
};

class Eraser {
  public:
    explicit Eraser(EraserParts parts);
    ~Eraser();

    // Looks for workspaces that were deleted. Returns at once.
    void Changed();
    // Deleted workspaces of which something may be left.
    size_t waiting() const;
    // The last failure, tried again; nothing when the last try worked.
    std::optional<base::Error> error() const;

  private:
    struct Answers;
    void Run();
    base::Status Round(const std::set<model::WorkspaceId>& deleted);
    base::Status EraseInPartitions(const std::set<model::WorkspaceId>& deleted, bool& went);
    base::Status Await(Answers& answers);
    bool Stopped() const;

    const EraserParts parts_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool wanted_ = true;
    bool stop_ = false;
    std::set<model::WorkspaceId> done_;
    std::optional<base::Error> error_;
    std::thread thread_;
};

}  // namespace server
