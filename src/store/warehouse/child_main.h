// The warehouse child: `ripen warehouse`. Loads libchdb (ClickHouse as a library) and serves a
// small part of ClickHouse's HTTP interface on a Unix socket, for our own server process alone.
//
// It is shut in as far as the system allows: socket 0600, own directory, no inherited descriptors,
// no core dumps, no new privileges, no network namespace, a seccomp filter without network sockets
// and exec, Landlock for everything outside its directory. It ends with its parent.
//
// Rule 1: rows are never given to libchdb behind `INSERT ... FORMAT`, where a blank line would end
// them and what follows would run as SQL. The body goes into a memfd, and the statement says FROM
// INFILE.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace warehouse {

struct ChildOptions {
    std::string library = {};       // libchdb.so
    std::string directory = {};     // ClickHouse's data; made when missing (0700).
    std::string socket_path = {};   // At most 107 bytes.
    int watch_fd = -1;              // A pipe's reading end; the child ends when it is closed.
    int readers = 0;                // Threads for SELECTs; 0: twice the cores, less the writers.
    uint64_t memory_bytes_max = 0;  // 0: half of the machine's.
    bool shut_in = true;            // False only for looking for faults.
};

// The words after `ripen warehouse`, and back.
std::vector<std::string> ToArguments(const ChildOptions& options);
base::Result<ChildOptions> FromArguments(const std::vector<std::string>& arguments);

// Runs until the parent goes. Returns the exit status: 0 end of the parent, 2 bad options,
// 3 libchdb could not be loaded or opened, 4 the socket could not be made.
int RunWarehouseChild(const ChildOptions& options);
// The same from the command line: argv[0] is "warehouse" or the program, words follow.
int RunWarehouseChild(int argc, char** argv);

// Where libchdb.so lies: `option`, else the environment's RIPEN_CHDB_LIB, else ../lib/libchdb.so
// beside the directory of the running binary, else .ripen/lib/libchdb.so and
// node_modules/@chdb/lib-linux-x64-gnu/libchdb.so below the working directory.
// Errors: kNotFound with the list of places.
base::Result<std::string> FindLibChdb(const std::string& option = {});

}  // namespace warehouse
