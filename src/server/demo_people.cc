#include "server/demo_people.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json.h"

namespace server {
namespace {

using base::kDayMs;
using base::kHourMs;
using base::kMinuteMs;
using base::kSecondMs;
using base::TimeMs;

constexpr double kFreeShippingFrom = 60;
constexpr int kShipping = 5;

struct Place {
    std::string_view ip, zone, language;
    int offset_hours;
    int weight;
};
// Addresses of large providers: the place file knows their cities.
constexpr Place kPlaces[] = {
    {"126.72.18.4", "Asia/Tokyo", "ja-JP", 9, 22},
    {"153.120.6.9", "Asia/Tokyo", "ja-JP", 9, 10},
    {"60.56.40.21", "Asia/Tokyo", "ja-JP", 9, 8},
    {"91.64.22.7", "Europe/Berlin", "de-DE", 1, 14},
    {"84.112.9.30", "Europe/Vienna", "de-AT", 1, 6},
    {"81.2.69.142", "Europe/London", "en-GB", 0, 14},
    {"90.63.4.17", "Europe/Paris", "fr-FR", 1, 8},
    {"73.92.12.8", "America/Los_Angeles", "en-US", -8, 8},
    {"24.90.60.3", "America/New_York", "en-US", -5, 10},
};
constexpr std::string_view kAgents[] = {
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36",
};
constexpr std::string_view kGivenJa[] = {"Aya", "Ken",   "Yui", "Haruto", "Rin",   "Sota",
                                         "Mei", "Daiki", "Nao", "Emi",    "Kaito", "Saki"};
constexpr std::string_view kFamilyJa[] = {"Mori", "Sato",    "Tanaka", "Ito",     "Kato", "Ono",
                                          "Abe",  "Hayashi", "Kimura", "Shimizu", "Endo", "Arai"};
constexpr std::string_view kGiven[] = {"Anna",  "Ben",  "Clara", "David", "Emma", "Felix",
                                       "Grace", "Hugo", "Ida",   "Jonas", "Lena", "Max",
                                       "Nora",  "Paul", "Rosa",  "Theo",  "Vera", "Will"};
constexpr std::string_view kFamily[] = {
    "Becker",  "Clark",  "Dubois", "Evans",  "Fischer", "Green",   "Huber",  "Jones", "Keller",
    "Laurent", "Martin", "Novak",  "Parker", "Roth",    "Schmidt", "Turner", "Weber", "Young"};

struct Source {
    std::string_view referrer, source, medium, campaign;
    int weight;
};
constexpr Source kSources[] = {
    {"https://www.google.com/", "", "", "", 30},
    {"", "", "", "", 25},
    {"https://www.google.com/", "google", "cpc", "harvest", 15},
    {"https://www.google.com/", "google", "cpc", "brand", 6},
    {"https://www.instagram.com/", "instagram", "social", "orchard-stories", 9},
    {"https://www.facebook.com/", "facebook", "paid_social", "spring-offers", 7},
    {"https://garden-forum.example.test/", "", "", "", 5},
    {"https://duckduckgo.com/", "", "", "", 3},
};

struct Article {
    std::string_view id, topic, title;
};
constexpr Article kArticles[] = {
    {"when-is-an-apple-ripe", "harvest", "When is an apple ripe?"},
    {"pruning-in-winter", "care", "Pruning in winter without fear"},
    {"press-or-juicer", "buying", "Press or juicer: what fits your harvest"},
    {"jam-that-sets", "kitchen", "Jam that sets without a packet"},
};

template <typename Table>
size_t ByWeight(const Table& table, Draw& draw) {
    int all = 0;
    for (const auto& row : table) all += row.weight;
    auto left = static_cast<int>(draw.Below(static_cast<uint64_t>(all)));
    for (size_t i = 0; i < std::size(table); ++i) {
        left -= table[i].weight;
        if (left < 0) return i;
    }
    return 0;
}

template <typename Table>
const auto& Any(const Table& table, Draw& draw) {
    return table[draw.Below(std::size(table))];
}

std::string Lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

}  // namespace

uint64_t Draw::Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

const std::vector<DemoProduct>& DemoProducts() {
    static const std::vector<DemoProduct> products = {
        {"fruit-press", "Fruit press, 12 litres", "kitchen", 189},
        {"jam-pan", "Copper jam pan", "kitchen", 129},
        {"preserving-jars", "Preserving jars, set of six", "kitchen", 24},
        {"dehydrator", "Fruit dryer", "kitchen", 149},
        {"pruning-shears", "Pruning shears", "garden", 48},
        {"picking-basket", "Picking basket", "garden", 36},
        {"orchard-ladder", "Orchard ladder, three legs", "garden", 219},
        {"watering-can", "Watering can, 9 litres", "garden", 42},
        {"apple-tree", "Apple tree, old variety", "trees", 39},
        {"plum-tree", "Plum tree", "trees", 44},
    };
    return products;
}

// One visit of one person with one device: writes what the tracker would send.
class DemoPeople::Visit {
  public:
    Visit(const DemoPlan& plan, const Person& person, Draw& draw, TimeMs at, std::vector<Act>& out)
        : plan_(plan), person_(person), draw_(draw), at_(at), out_(out) {
        second_ = person.two_devices && draw.Chance(0.5);
    }

    void ComeFrom(const Source& source) { source_ = source; }
    void ComeFromLetter(std::string_view campaign) {
        source_ = {"", "newsletter", "email", campaign, 0};
    }

    void Page(std::string_view path, std::string_view title) {
        Begin("page");
        w_->Key("properties").Begin('{');
        PageFields(path, title);
        w_->End('}');
        page_ = path;
        title_ = title;
        End(draw_.Between(12, 90));
    }

    void Enter() { Page("index.html", "Orchard"); }
    void View(const DemoProduct& product) {
        Page("products/" + std::string(product.id) + ".html", product.name);
        Track(
            "Product Viewed", [&] { Fields(product); }, 5);
    }
    void List(const DemoProduct& product) {
        Page(std::string(product.category) + ".html", product.category);
        Track(
            "Product List Viewed", [&] { w_->Key("category").String(product.category); }, 9);
    }
    void Read(const Article& article) {
        Page("journal/" + std::string(article.id) + ".html", article.title);
        Track(
            "Article Viewed",
            [&] { w_->Key("article_id").String(article.id).Key("topic").String(article.topic); },
            60);
    }
    void Add(const DemoProduct& product) {
        Track(
            "Product Added", [&] { Fields(product).Key("quantity").Int(1); }, 20);
    }
    void Subscribe() {
        Form("Form Started", "newsletter", 6);
        Identify();
        Form("Form Submitted", "newsletter", 3);
    }
    void SignIn() {
        Page("sign-in.html", "Sign in");
        Identify();
    }
    // The form of the checkout is begun, and sent or left.
    void CheckOut(const DemoProduct& product, bool order) {
        Page("checkout.html", "Checkout");
        Track(
            "Checkout Started", [&] { Goods(product); }, 8);
        Form("Form Started", "checkout", 50);
        if (!order) return Form("Form Abandoned", "checkout", 1);
        Identify();
        Form("Form Submitted", "checkout", 1);
        const int shipping = product.price >= kFreeShippingFrom ? 0 : kShipping;
        Track(
            "Order Completed",
            [&] {
                w_->Key("order_id")
                    .String(std::to_string(person_.number) + "-" + std::to_string(at_ / kMinuteMs));
                w_->Key("revenue").Int(product.price).Key("shipping").Int(shipping);
                w_->Key("total").Int(product.price + shipping);
                w_->Key("currency").String("EUR");
                Products(product);
            },
            3);
        Page("thanks.html", "Thank you");
    }
    void Identify() {
        Begin("identify");
        w_->Key("traits").Begin('{').Key("email").String(person_.email);
        w_->Key("first_name").String(person_.first_name);
        w_->Key("last_name").String(person_.last_name);
        w_->Key("name").String(person_.first_name + " " + person_.last_name);
        w_->Key("language").String(std::string_view(person_.language).substr(0, 2)).End('}');
        End(2);
    }
    bool second() const { return second_; }

  private:
    template <typename Fill>
    void Track(std::string_view event, Fill&& fill, double seconds) {
        Begin("track");
        w_->Key("event").String(event).Key("properties").Begin('{');
        fill();
        w_->End('}');
        End(seconds);
    }
    base::JsonWriter& Fields(const DemoProduct& product) {
        w_->Key("product_id").String(product.id).Key("name").String(product.name);
        w_->Key("category").String(product.category).Key("price").Int(product.price);
        return w_->Key("currency").String("EUR");
    }
    void Goods(const DemoProduct& product) {
        w_->Key("value").Int(product.price).Key("currency").String("EUR");
        Products(product);
    }
    void Form(std::string_view event, std::string_view form, double seconds) {
        Track(
            event,
            [&] {
                w_->Key("form").String(form).Key("path").String("/demo/" + page_);
                w_->Key(event == "Form Started" ? "field" : "last_field").String("email");
            },
            seconds);
    }
    void Products(const DemoProduct& product) {
        w_->Key("products").Begin('[').Begin('{');
        Fields(product).Key("quantity").Int(1);
        w_->End('}').End(']');
    }
    void PageFields(std::string_view path, std::string_view title) {
        w_->Key("url").String(plan_.shop_url + std::string(path));
        w_->Key("path").String("/demo/" + std::string(path)).Key("title").String(title);
        if (page_.empty() && !source_.referrer.empty()) {
            w_->Key("referrer").String(source_.referrer);
        } else if (!page_.empty()) {
            w_->Key("referrer").String(plan_.shop_url + page_);
        }
    }
    void Begin(std::string_view type) {
        const Place& place = kPlaces[person_.place];
        json_.clear();
        w_.emplace(json_);
        w_->Begin('{').Key("type").String(type);
        w_->Key("messageId")
            .String("demo-" + std::to_string(person_.number) + "-" + std::to_string(at_) + "-" +
                    std::to_string(out_.size()));
        w_->Key("timestamp").Time(at_);
        w_->Key("anonymousId")
            .String("d" + std::to_string(plan_.seed) + "-" + std::to_string(person_.number) +
                    (second_ ? "b" : "a"));
        w_->Key("context").Begin('{').Key("ip").String(place.ip);
        w_->Key("locale").String(place.language).Key("timezone").String(place.zone);
        w_->Key("userAgent").String(kAgents[second_ ? person_.second_agent : person_.agent]);
        w_->Key("page").Begin('{');
        PageFields(page_.empty() ? "index.html" : page_, title_);
        w_->End('}');
        if (!source_.source.empty()) {
            w_->Key("campaign").Begin('{').Key("source").String(source_.source);
            w_->Key("medium").String(source_.medium);
            w_->Key("name").String(source_.campaign).End('}');
        }
        w_->End('}');
    }
    void End(double seconds) {
        w_->End('}');
        if (at_ < plan_.end_ms) out_.push_back({at_, json_});
        at_ += static_cast<TimeMs>(seconds * draw_.Between(0.5, 1.5) * kSecondMs) + kSecondMs;
    }

    const DemoPlan& plan_;
    const Person& person_;
    Draw& draw_;
    TimeMs at_;
    std::vector<Act>& out_;
    Source source_{};
    bool second_ = false;
    std::string page_, title_;
    std::string json_;
    std::optional<base::JsonWriter> w_;
};

DemoPeople::DemoPeople(const DemoPlan& plan) : plan_(plan) {
    Draw draw(plan.seed);
    const auto span = static_cast<double>(plan.end_ms - plan.begin_ms);
    for (int i = 0; i < plan.persons; ++i) {
        Person& p = persons_.emplace_back();
        p.number = static_cast<uint32_t>(i + 1);
        const double lot = draw.Unit();
        p.habit = lot < 0.5    ? Habit::kPasserBy
                  : lot < 0.68 ? Habit::kReader
                  : lot < 0.9  ? Habit::kShopper
                               : Habit::kRegular;
        // The shop grows: the later, the more come.
        p.arrival_ms = plan.begin_ms + static_cast<TimeMs>(span * std::sqrt(draw.Unit()));
        p.place = static_cast<uint32_t>(ByWeight(kPlaces, draw));
        p.language = kPlaces[p.place].language;
        const bool japanese = p.language == "ja-JP";
        p.first_name = japanese ? Any(kGivenJa, draw) : Any(kGiven, draw);
        p.last_name = japanese ? Any(kFamilyJa, draw) : Any(kFamily, draw);
        p.email = Lower(p.first_name) + "." + Lower(p.last_name) + std::to_string(p.number) +
                  "@example.test";
        p.agent = static_cast<uint32_t>(draw.Below(3));
        p.second_agent = 3 + static_cast<uint32_t>(draw.Below(2));
        if (draw.Chance(0.4)) std::swap(p.agent, p.second_agent);
        p.two_devices = p.habit != Habit::kPasserBy && draw.Chance(0.35);
        p.favourite = draw.Below(DemoProducts().size());
        Draw own(plan.seed * 1'000'003 + p.number);
        Live(p, own);
    }
    std::stable_sort(acts_.begin(), acts_.end(),
                     [](const Act& a, const Act& b) { return a.at_ms < b.at_ms; });
}

void DemoPeople::Live(const Person& person, Draw& draw) {
    const auto& products = DemoProducts();
    const int offset = kPlaces[person.place].offset_hours;
    // Somewhere in the waking hours of a day where she lives.
    const auto hour_of_day = [&](TimeMs day) {
        const TimeMs midnight = base::DayOf(day) * kDayMs;
        const double hour = 7 + 16 * std::pow(draw.Unit(), 0.8);
        return std::max(day, midnight + static_cast<TimeMs>((hour - offset) * kHourMs));
    };
    const int visits = person.habit == Habit::kPasserBy  ? 1 + (draw.Chance(0.25) ? 1 : 0)
                       : person.habit == Habit::kReader  ? 3 + static_cast<int>(draw.Below(6))
                       : person.habit == Habit::kShopper ? 2 + static_cast<int>(draw.Below(5))
                                                         : 5 + static_cast<int>(draw.Below(10));
    TimeMs day = person.arrival_ms;
    bool known[2] = {false, false};  // Each of her devices.
    for (int n = 0; n < visits && day < plan_.end_ms; ++n) {
        Visit visit(plan_, person, draw, hour_of_day(day), acts_);
        bool& here = known[visit.second() ? 1 : 0];
        if (n == 0 || draw.Chance(0.5)) visit.ComeFrom(kSources[ByWeight(kSources, draw)]);
        const DemoProduct& product =
            draw.Chance(0.6) ? products[person.favourite] : Any(products, draw);
        const auto sign_in = [&] {
            if (here || !draw.Chance(known[0] || known[1] ? 0.7 : 0.35)) return;
            visit.SignIn();
            here = true;
        };
        switch (person.habit) {
            case Habit::kPasserBy:
                if (draw.Chance(0.5)) visit.Enter();
                if (draw.Chance(0.3)) {
                    visit.Read(Any(kArticles, draw));
                } else {
                    visit.View(product);
                }
                break;
            case Habit::kReader: {
                for (uint64_t i = 0, articles = 1 + draw.Below(3); i < articles; ++i) {
                    visit.Read(Any(kArticles, draw));
                }
                if (!here && draw.Chance(0.5)) {
                    visit.Subscribe();
                    here = true;
                }
                if (draw.Chance(0.3)) visit.View(product);
                break;
            }
            case Habit::kShopper:
            case Habit::kRegular: {
                visit.Enter();
                sign_in();
                visit.List(product);
                for (uint64_t i = 0, views = 1 + draw.Below(3); i < views; ++i) {
                    visit.View(i == 0 ? product : Any(products, draw));
                }
                const bool regular = person.habit == Habit::kRegular;
                if (!draw.Chance(regular ? 0.75 : 0.45)) break;
                visit.Add(product);
                if (!draw.Chance(0.8)) break;
                const bool order = draw.Chance(regular ? 0.85 : 0.5);
                visit.CheckOut(product, order);
                here = here || order;
                break;
            }
        }
        const double days = person.habit == Habit::kRegular  ? draw.Between(12, 50)
                            : person.habit == Habit::kReader ? draw.Between(3, 30)
                                                             : draw.Between(1, 14);
        day += static_cast<TimeMs>(days * kDayMs);
    }
}

const DemoPeople::Person* DemoPeople::Find(std::string_view email) const {
    const auto it = std::find_if(persons_.begin(), persons_.end(),
                                 [&](const Person& p) { return p.email == email; });
    return it == persons_.end() ? nullptr : &*it;
}

std::string_view DemoPeople::AgentOf(std::string_view email) const {
    const Person* const person = Find(email);
    return kAgents[person == nullptr ? 0 : person->agent];
}

DemoPeople::Reaction DemoPeople::ReactTo(std::string_view email, uint64_t letter,
                                         TimeMs at_ms) const {
    Reaction reaction;
    const Person* const person = Find(email);
    if (person == nullptr) return reaction;
    Draw draw(plan_.seed ^ (letter * 0x9e3779b97f4a7c15ULL) ^ person->number);
    if (!draw.Chance(person->habit == Habit::kRegular ? 0.6 : 0.42)) return reaction;
    reaction.open_ms = at_ms + static_cast<TimeMs>(draw.Between(2, 300)) * kMinuteMs;
    if (!draw.Chance(0.3)) return reaction;
    reaction.click_ms = reaction.open_ms + static_cast<TimeMs>(draw.Between(10, 80)) * kSecondMs;
    const DemoProduct& product = DemoProducts()[person->favourite];
    Visit visit(plan_, *person, draw, reaction.click_ms + 2 * kSecondMs, reaction.visit);
    visit.ComeFromLetter("letters");
    visit.View(product);
    if (draw.Chance(0.5)) {
        visit.Add(product);
        visit.CheckOut(product, draw.Chance(0.7));
    }
    return reaction;
}

}  // namespace server
