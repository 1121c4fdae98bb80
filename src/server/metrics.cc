#include "server/metrics.h"

#include <unistd.h>

#include <fstream>

namespace server {
namespace {

class Lines {
  public:
    void Counter(const char* name, const char* help, uint64_t value) {
        Add(name, help, "counter", value);
    }
    void Gauge(const char* name, const char* help, uint64_t value) {
        Add(name, help, "gauge", value);
    }
    std::string Take() { return std::move(out_); }

  private:
    void Add(const std::string& name, const std::string& help, const std::string& type,
             uint64_t value) {
        out_ += "# HELP ripen_" + name + ' ' + help + "\n# TYPE ripen_" + name + ' ' + type +
                "\nripen_" + name + ' ' + std::to_string(value) + '\n';
    }
    std::string out_;
};

uint64_t ResidentBytes() {
    std::ifstream file("/proc/self/statm");
    uint64_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::string MetricsText(const Measured& m) {
    Lines lines;
    lines.Gauge("resident_bytes", "Memory of the server process", ResidentBytes());
    const auto log = m.log.counters();
    lines.Counter("log_commits_total", "Group commits", log.commits);
    lines.Counter("log_records_total", "Records made durable", log.records);
    lines.Counter("log_bytes_total", "Bytes of frames made durable", log.bytes);
    lines.Gauge("log_queue_bytes", "Bytes that wait for a commit", log.queue_bytes);
    lines.Gauge("log_segments", "Segment files with records", log.segments);
    lines.Gauge("log_disk_full", "1 while there is no room for segments", log.disk_full ? 1 : 0);
    const auto engine = m.engine.counters();
    lines.Counter("fold_records_total", "Records folded", engine.records);
    lines.Counter("fold_ticks_total", "Ticks asked for", engine.ticks);
    lines.Counter("fold_relays_total", "Records sent to other partitions", engine.relays);
    lines.Counter("checkpoints_total", "Checkpoints of partitions", engine.checkpoints);
    lines.Gauge("checkpoint_last_ms", "Time of the last checkpoint", engine.checkpoint_ms_last);
    lines.Gauge("replayed_records", "Records replayed at the start", engine.replayed);
    const auto spool = m.spool.Counters();
    lines.Counter("rows_total", "Rows handed to the spool", spool.rows);
    lines.Gauge("spool_bytes", "Bytes the warehouse has not acknowledged", spool.bytes_unacked);
    lines.Gauge("spool_rows", "Rows the warehouse has not acknowledged", spool.rows_unacked);
    if (m.writer != nullptr) {
        const auto writer = m.writer->Counters();
        lines.Counter("warehouse_rows_total", "Rows acknowledged by the warehouse", writer.rows);
        lines.Counter("warehouse_failures_total", "Failed inserts", writer.failures);
        lines.Gauge("warehouse_healthy", "1 when the last insert worked", writer.healthy ? 1 : 0);
    }
    if (m.child != nullptr) {
        lines.Counter("warehouse_starts_total", "Starts of the warehouse child",
                      m.child->starts());
    }
    if (m.eraser != nullptr) {
        lines.Gauge("workspaces_to_erase", "Deleted workspaces that are not gone everywhere",
                    m.eraser->waiting());
    }
    if (m.http != nullptr) {
        const auto http = m.http->counts();
        lines.Gauge("http_connections", "Open connections", http.connections_open);
        lines.Counter("http_requests_total", "Requests handed to a handler", http.requests);
        lines.Counter("http_refused_total", "Requests refused by the server", http.refused);
    }
    if (m.dispatcher != nullptr) {
        const auto letters = m.dispatcher->Counters();
        lines.Counter("letters_sent_total", "Letters accepted by the mail server", letters.sent);
        lines.Counter("letters_failed_total", "Letters given up", letters.failed);
        lines.Counter("letters_ambiguous_total", "Letters of unknown fate", letters.ambiguous);
        lines.Counter("letters_deferred_total", "Attempts to be repeated", letters.deferred);
        lines.Gauge("letters_waiting", "Letters not claimed yet", letters.waiting);
        lines.Gauge("letters_in_flight", "Letters claimed and not settled", letters.in_flight);
    }
    return lines.Take();
}

}  // namespace server
