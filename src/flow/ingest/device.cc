#include "flow/ingest/device.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <filesystem>

#include "base/limits.h"

namespace ingest {
namespace {

std::string Lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return out;
}

// An ordered list of patterns of which the first that matches counts. Atoms (literals every match
// must contain) are looked for first; only patterns whose atoms are there are run.
class PatternList {
  public:
    PatternList() : filter_(3) {}

    // False: RE2 cannot run it.
    bool Add(const std::string& pattern, bool ignore_case) {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_case_sensitive(!ignore_case);
        // Headers are bytes of any kind; Latin-1 gives every byte a meaning.
        options.set_encoding(RE2::Options::EncodingLatin1);
        int id = 0;
        return filter_.Add(pattern, options, &id) == RE2::NoError;
    }

    void Compile() {
        if (filter_.NumRegexps() > 0) filter_.Compile(&atoms_);
        for (size_t i = 0; i < atoms_.size(); ++i) {
            by_trigram_.emplace_back(Trigram(atoms_[i].data()), static_cast<int>(i));
        }
        std::sort(by_trigram_.begin(), by_trigram_.end());
    }

    // Index of the first pattern that matches, or -1.
    int First(std::string_view text, std::string_view lowered) const {
        if (filter_.NumRegexps() == 0) return -1;
        std::bitset<kTrigrams> present;
        for (size_t i = 0; i + 3 <= lowered.size(); ++i) {
            present.set(Trigram(lowered.data() + i));
        }
        std::vector<int> found;
        for (const auto& [trigram, atom] : by_trigram_) {
            if (present.test(trigram) && lowered.find(atoms_[atom]) != std::string_view::npos) {
                found.push_back(atom);
            }
        }
        std::sort(found.begin(), found.end());
        return filter_.FirstMatch({text.data(), text.size()}, found);
    }

    const RE2& At(int id) const { return filter_.GetRE2(id); }
    int size() const { return filter_.NumRegexps(); }

  private:
    static constexpr size_t kTrigrams = 4096;
    static uint32_t Trigram(const char* p) {
        const uint32_t v = static_cast<uint8_t>(p[0]) | static_cast<uint8_t>(p[1]) << 8 |
                           static_cast<uint8_t>(p[2]) << 16;
        return v * 0x9e3779b1U >> 20;
    }
    re2::FilteredRE2 filter_;
    std::vector<std::string> atoms_;  // Lower case, three characters at least.
    std::vector<std::pair<uint32_t, int>> by_trigram_;
};

// What a uap-core pattern puts into each part: a text with $1..$9, or the group of its number.
struct Replacement {
    std::array<std::string, 5> parts;  // family, v1, v2, v3, v4
};

constexpr size_t kGroupsMax = 10;  // $0..$9

std::string Replaced(const std::string& text, const std::array<re2::StringPiece, kGroupsMax>& m) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$' && i + 1 < text.size() && text[i + 1] >= '1' && text[i + 1] <= '9') {
            const re2::StringPiece& group = m[static_cast<size_t>(text[i + 1] - '0')];
            out.append(group.data(), group.size());
            ++i;
        } else {
            out.push_back(text[i]);
        }
    }
    const size_t first = out.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

// One section of regexes.yaml.
struct PartPatterns {
    PatternList list;
    std::vector<Replacement> replacements;

    size_t Read(const YAML::Node& section, const std::array<const char*, 5>& names) {
        size_t left_out = 0;
        for (const YAML::Node& row : section) {
            const bool ignore_case =
                row["regex_flag"] && row["regex_flag"].as<std::string>() == "i";
            if (!list.Add(row["regex"].as<std::string>(), ignore_case)) {
                ++left_out;
                continue;
            }
            Replacement& replacement = replacements.emplace_back();
            for (size_t i = 0; i < names.size(); ++i) {
                if (row[names[i]]) replacement.parts[i] = row[names[i]].as<std::string>();
            }
        }
        list.Compile();
        return left_out;
    }

    AgentPart Find(std::string_view agent, std::string_view lowered) const {
        AgentPart out;
        const int id = list.First(agent, lowered);
        if (id < 0) {
            out.family = "Other";
            return out;
        }
        const RE2& pattern = list.At(id);
        std::array<re2::StringPiece, kGroupsMax> groups;
        const int count = std::min<int>(pattern.NumberOfCapturingGroups() + 1, kGroupsMax);
        pattern.Match({agent.data(), agent.size()}, 0, agent.size(), RE2::UNANCHORED,
                      groups.data(), count);
        const Replacement& replacement = replacements[static_cast<size_t>(id)];
        std::string* const slots[] = {&out.family, &out.major, &out.minor, &out.patch,
                                      &out.patch_minor};
        for (size_t i = 0; i < 5; ++i) {
            if (!replacement.parts[i].empty()) {
                *slots[i] = Replaced(replacement.parts[i], groups);
            } else if (static_cast<int>(i) + 1 < count) {
                slots[i]->assign(groups[i + 1].data(), groups[i + 1].size());
            }
        }
        return out;
    }
};

base::Status Readable(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) return {};
    return base::Fail(base::ErrorCode::kNotFound, "no user-agent file at " + path);
}

// Words that give a robot away when the list of robots is not there.
bool SaysRobot(std::string_view lowered) {
    for (const std::string_view word : {"bot", "crawl", "spider", "slurp", "headless", "curl/",
                                        "wget/", "python-", "java/", "http-client"}) {
        const size_t at = lowered.find(word);
        // "Cubot" is a maker of telephones.
        if (at != std::string_view::npos &&
            !(word == "bot" && at >= 2 && lowered.substr(at - 2, 2) == "cu")) {
            return true;
        }
    }
    return false;
}

bool Has(std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
}

// uap-core's device patterns name makes and models; the kind follows from these words.
std::string DeviceType(std::string_view lowered) {
    if (Has(lowered, "smart-tv") || Has(lowered, "smarttv") || Has(lowered, "hbbtv") ||
        Has(lowered, "appletv") || Has(lowered, "apple tv") || Has(lowered, "googletv") ||
        Has(lowered, "android tv") || Has(lowered, "web0s") || Has(lowered, "roku") ||
        Has(lowered, "bravia") || Has(lowered, "; aft") || Has(lowered, "crkey")) {
        return "tv";
    }
    if (Has(lowered, "playstation") || Has(lowered, "xbox") || Has(lowered, "nintendo")) {
        return "console";
    }
    if (Has(lowered, "watchos") || Has(lowered, "apple watch")) return "watch";
    if (Has(lowered, "ipad") || Has(lowered, "tablet") || Has(lowered, "kindle") ||
        Has(lowered, "silk/") || Has(lowered, "playbook")) {
        // "Tablet PC" in old Internet Explorers names a service of Windows, not a device.
        if (!Has(lowered, "windows nt")) return "tablet";
    }
    const bool mobile = Has(lowered, "mobile") || Has(lowered, "iphone") || Has(lowered, "ipod") ||
                        Has(lowered, "windows phone") || Has(lowered, "opera mini") ||
                        Has(lowered, "blackberry");
    if (Has(lowered, "android")) return mobile ? "mobile" : "tablet";
    if (mobile) return "mobile";
    if (Has(lowered, "windows") || Has(lowered, "macintosh") || Has(lowered, "x11") ||
        Has(lowered, "linux") || Has(lowered, "cros ")) {
        return "desktop";
    }
    return {};
}

}  // namespace

struct AgentPatterns::Impl {
    PartPatterns browsers;
    PartPatterns systems;
    PatternList robots;
    size_t left_out = 0;

    base::Status ReadUap(const std::string& path) {
        TRY(Readable(path));
        try {
            const YAML::Node root = YAML::LoadFile(path);
            left_out += browsers.Read(root["user_agent_parsers"],
                                      {"family_replacement", "v1_replacement", "v2_replacement",
                                       "v3_replacement", "v4_replacement"});
            left_out += systems.Read(root["os_parsers"],
                                     {"os_replacement", "os_v1_replacement", "os_v2_replacement",
                                      "os_v3_replacement", "os_v4_replacement"});
        } catch (const YAML::Exception& e) {
            return base::Fail(base::ErrorCode::kCorrupt, path + ": " + e.what());
        }
        return {};
    }

    base::Status ReadRobots(const std::string& path) {
        TRY(Readable(path));
        simdjson::dom::parser parser;
        simdjson::dom::array rows;
        if (parser.load(path).get_array().get(rows) != simdjson::SUCCESS) {
            return base::Fail(base::ErrorCode::kCorrupt, path + " is not a list of robots");
        }
        for (const simdjson::dom::element row : rows) {
            std::string_view pattern;
            if (row["pattern"].get_string().get(pattern) != simdjson::SUCCESS ||
                !robots.Add(std::string(pattern), false)) {
                ++left_out;
            }
        }
        robots.Compile();
        return {};
    }
};

AgentPatterns::AgentPatterns(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AgentPatterns::~AgentPatterns() = default;

base::Result<std::shared_ptr<const AgentPatterns>> AgentPatterns::Load(const Files& files) {
    auto impl = std::make_unique<Impl>();
    if (!files.uap_regexes_yaml.empty()) TRY(impl->ReadUap(files.uap_regexes_yaml));
    if (!files.crawlers_json.empty()) TRY(impl->ReadRobots(files.crawlers_json));
    return std::shared_ptr<const AgentPatterns>(new AgentPatterns(std::move(impl)));
}

AgentPart AgentPatterns::Browser(std::string_view agent) const {
    return impl_->browsers.Find(agent, Lowered(agent));
}

AgentPart AgentPatterns::System(std::string_view agent) const {
    return impl_->systems.Find(agent, Lowered(agent));
}

bool AgentPatterns::IsRobot(std::string_view agent) const {
    const std::string lowered = Lowered(agent);
    if (impl_->robots.size() == 0) return SaysRobot(lowered);
    return impl_->robots.First(agent, lowered) >= 0;
}

size_t AgentPatterns::left_out() const { return impl_->left_out; }
size_t AgentPatterns::size() const {
    return static_cast<size_t>(impl_->browsers.list.size() + impl_->systems.list.size() +
                               impl_->robots.size());
}

LazyAgentPatterns::LazyAgentPatterns(AgentPatterns::Files files,
                                     std::function<void(std::string)> warn)
    : files_(std::move(files)), warn_(std::move(warn)) {}

const AgentPatterns* LazyAgentPatterns::Get() {
    std::call_once(once_, [this] {
        if (files_.uap_regexes_yaml.empty()) {
            warn_("devices stay unknown: no user-agent patterns are configured");
        }
        auto loaded = AgentPatterns::Load(files_);
        if (loaded) {
            patterns_ = std::move(*loaded);
            return;
        }
        // One missing file must not take the other with it.
        warn_("devices or robots stay unknown: " + loaded.error().internal);
        for (AgentPatterns::Files one : {AgentPatterns::Files{files_.uap_regexes_yaml, {}},
                                         AgentPatterns::Files{{}, files_.crawlers_json}}) {
            if (one.uap_regexes_yaml.empty() && one.crawlers_json.empty()) continue;
            if (auto part = AgentPatterns::Load(one)) patterns_ = std::move(*part);
        }
    });
    return patterns_.get();
}

const AgentFacts& UserAgents::Find(std::string_view agent) {
    agent = agent.substr(0, limits::kAgentBytesMax);
    if (const auto found = index_.find(agent); found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->facts;
    }
    ++misses_;
    if (entries_.size() >= limits::kAgentCacheEntries) {
        index_.erase(entries_.back().agent);
        entries_.pop_back();
    }
    entries_.push_front({std::string(agent), Read(agent)});
    index_.emplace(entries_.front().agent, entries_.begin());
    return entries_.front().facts;
}

AgentFacts UserAgents::Read(std::string_view agent) const {
    AgentFacts out;
    if (agent.empty()) return out;
    const std::string lowered = Lowered(agent);
    const AgentPatterns* patterns = patterns_ != nullptr ? patterns_->Get() : nullptr;
    out.is_bot = patterns != nullptr ? patterns->IsRobot(agent) : SaysRobot(lowered);
    out.type = out.is_bot ? "bot" : DeviceType(lowered);
    if (patterns == nullptr) return out;
    out.browser = patterns->Browser(agent).family;
    out.os = patterns->System(agent).family;
    if (out.browser == "Other") out.browser.clear();
    if (out.os == "Other") out.os.clear();
    return out;
}

}  // namespace ingest
