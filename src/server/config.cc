#include "server/config.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <toml++/toml.h>

namespace server {

base::Status ReadConfigFile(const std::string& path, Config& config) {
    if (!std::filesystem::exists(path)) {
        return base::Fail(base::ErrorCode::kNotFound, "no such file: " + path,
                          "The configuration file " + path + " does not exist.");
    }
    toml::table root;
    try {
        root = toml::parse_file(path);
    } catch (const toml::parse_error& error) {
        return base::Invalid(path + ": " + std::string(error.description()),
                             std::to_string(error.source().begin.line) + ":" +
                                 std::to_string(error.source().begin.column));
    }
    const auto text = [](std::string& into) {
        return [&into](const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (value) into = *value;
            return value.has_value();
        };
    };
    const auto number = [](auto& into) {
        return [&into](const toml::node& node) {
            const auto value = node.value_exact<int64_t>();
            if (value && *value >= 0) into = static_cast<std::decay_t<decltype(into)>>(*value);
            return value.has_value() && *value >= 0;
        };
    };
    const auto truth = [](bool& into) {
        return [&into](const toml::node& node) {
            const auto value = node.value_exact<bool>();
            if (value) into = *value;
            return value.has_value();
        };
    };
    const std::map<std::string, std::function<bool(const toml::node&)>> keys = {
        {"server.public_url", text(config.public_url)},
        {"server.sandbox_url", text(config.sandbox_url)},
        {"admin.url", text(config.admin_url)},
        {"admin.insecure", truth(config.admin_insecure)},
        {"server.io_threads", number(config.io_threads)},
        {"server.fold_threads", number(config.fold_threads)},
        {"email.smtp_url", text(config.smtp_url)},
        {"email.smtp_connections", number(config.smtp_connections)},
        {"email.from_address", text(config.from_address)},
        {"email.from_name", text(config.from_name)},
        {"email.dkim_domain", text(config.dkim_domain)},
        {"email.dkim_selector", text(config.dkim_selector)},
        {"email.dkim_key", text(config.dkim_key)},
        {"warehouse.enabled", truth(config.warehouse)},
        {"warehouse.library", text(config.chdb_library)},
        {"ingest.place_file", text(config.place_file)},
        {"ingest.agent_patterns", text(config.agent_patterns)},
        {"ingest.robot_patterns", text(config.robot_patterns)},
        {"checkpoint.records", number(config.checkpoint_records)},
        {"checkpoint.ms", number(config.checkpoint_ms)},
    };
    for (const auto& [section, node] : root) {
        const std::string name(section.str());
        const toml::table* table = node.as_table();
        if (table == nullptr) return base::Invalid(path + ": unknown key", name);
        for (const auto& [key, value] : *table) {
            const std::string full = name + "." + std::string(key.str());
            const auto known = keys.find(full);
            if (known == keys.end()) return base::Invalid(path + ": unknown key", full);
            if (!known->second(value)) return base::Invalid(path + ": wrong type of value", full);
        }
    }
    return {};
}

void ReadEnvironment(Config& config) {
    const auto take = [](const char* name, std::string& into) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') into = value;
    };
    take("RIPEN_SMTP_URL", config.smtp_url);
    take("RIPEN_PUBLIC_URL", config.public_url);
    take("RIPEN_CHDB_LIB", config.chdb_library);
}

base::Status ReadListen(const std::string& text, Config& config) {
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return base::Invalid("expected HOST:PORT, such as 127.0.0.1:8080", "--listen");
    }
    std::string host = text.substr(0, colon);
    const std::string port = text.substr(colon + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    uint32_t number = 0;
    const auto r = std::from_chars(port.data(), port.data() + port.size(), number);
    if (r.ec != std::errc() || r.ptr != port.data() + port.size() || number > 65533) {
        return base::Invalid("the port is a number from 0 to 65533", "--listen");
    }
    config.listen_address = host.empty() ? "0.0.0.0" : host == "localhost" ? "127.0.0.1" : host;
    config.listen_port = static_cast<uint16_t>(number);
    return {};
}

base::Status ReadClock(const std::string& text, Config& config) {
    if (text == "real") return {};
    constexpr std::string_view kName = "simulated";
    if (!text.starts_with(kName)) {
        return base::Invalid("expected real, simulated or simulated:TIME", "--clock");
    }
    config.simulated_clock = true;
    if (text.size() == kName.size()) return {};
    const auto time = text[kName.size()] == ':'
                          ? base::ParseIso(std::string_view(text).substr(kName.size() + 1))
                          : std::nullopt;
    if (!time) return base::Invalid("expected an ISO 8601 time", "--clock");
    config.simulated_start_ms = *time;
    return {};
}

}  // namespace server
