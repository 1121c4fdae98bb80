// The server's settings: ripen.toml, then RIPEN_* variables, then the command line.
// docs/operating/configure.md describes every one.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace server {

struct Config {
    std::string directory;              // --data
    std::string listen_address = "127.0.0.1";
    uint16_t listen_port = 8080;        // Public pages on +1, sandbox on +2. 0: three free ones.
    std::string public_url;             // Of the public pages; empty: http://ADDRESS:PORT+1.
    std::string sandbox_url;            // Of letters' HTML; empty: the request's host, PORT+2.
    // [admin]
    std::string admin_url;              // "https://ripen.example.com", when a proxy is in front.
    bool admin_insecure = false;        // Sign-in on plain http beyond this machine.
    // [server]
    int io_threads = 1;
    int fold_threads = 2;
    bool simulated_clock = false;
    base::TimeMs simulated_start_ms = 0;  // 0: the real time at the start.
    // [email]
    std::string smtp_url;               // Empty: letters go to the built-in mailbox.
    int smtp_connections = 16;
    std::string from_address;           // For workspaces that have set no sender.
    std::string from_name;
    std::string dkim_domain;
    std::string dkim_selector;
    std::string dkim_key;               // Path of a PEM file.
    // [warehouse]
    bool warehouse = true;
    std::string chdb_library;           // Empty: looked for (store/warehouse/child_main.h).
    // [ingest]
    std::string place_file;             // .mmdb; empty: looked for in node_modules.
    std::string agent_patterns;         // uap-core's regexes.yaml.
    std::string robot_patterns;         // crawler-user-agents.json.
    // [checkpoint]
    uint64_t checkpoint_records = 0;    // 0: limits::kCheckpointRecords.
    base::DurationMs checkpoint_ms = 0;
};

// Reads a TOML file into `config`. Unknown keys are refused with their name.
// Errors: kNotFound, kInvalidArgument with `at` "line:column" or the key.
base::Status ReadConfigFile(const std::string& path, Config& config);
// RIPEN_SMTP_URL, RIPEN_PUBLIC_URL, RIPEN_CHDB_LIB.
void ReadEnvironment(Config& config);
// "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses).
base::Status ReadListen(const std::string& text, Config& config);
// "real", "simulated", "simulated:2026-01-05T10:00Z".
base::Status ReadClock(const std::string& text, Config& config);

}  // namespace server
