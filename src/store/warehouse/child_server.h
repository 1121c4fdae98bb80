// The child's side of the protocol (docs/formats/warehouse.md): one request a connection, on a Unix
// socket that only our server can open.
//
//   GET  /ping                                             "Ok.\n", no SQL
//   POST /?query=INSERT INTO w.events (...) FORMAT RowBinary   body = rows, Content-Length required
//   POST /            body = one statement                 chunked answer; an error after the first
//                                                          byte closes without the last chunk
//   POST /?readonly=1 body = SELECT                        the same, in the readers' pool
//
// Threads: one that accepts and reads heads (they come at once: the peer is our own client), a pool
// that writes, a pool that reads; each thread of a pool has its own libchdb connection.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/warehouse/chdb.h"

namespace warehouse {

struct ServeOptions {
    std::string socket_path;
    std::vector<std::string> connect_arguments;  // As for Chdb::Connect.
    int writers = 2;
    int readers = 2;
    uint64_t memory_bytes_max = 0;  // Of the whole library; a query gets a share of it.
};

// Opens the library's connections and the socket, then serves for ever.
// Errors: kUnavailable: libchdb; kIo: the socket.
base::Status Serve(Chdb& chdb, const ServeOptions& options);

}  // namespace warehouse
