#include "language/liquid/parser.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "language/liquid/markup.h"
#include "language/liquid/scanner.h"
#include "language/liquid/template.h"
#include "language/liquid/text.h"

namespace liquid {

namespace {

class Parser {
  public:
    Parser(Program& program, std::span<const std::string_view> partials)
        : program_(program), partials_(partials) {}

    base::Status ParseAll() {
        Scanner scanner(program_.source);
        TRY_ASSIGN(const Token end, ParseBlock(scanner, program_.body));
        if (end.piece != Piece::kEnd) return Stray(scanner, end);
        return {};
    }

  private:
    using TagParser = base::Status (Parser::*)(Scanner&, const Token&, Block&);
    struct Tag {
        std::string_view name;
        TagParser parse;
    };
    static std::span<const Tag> Tags();
    friend std::vector<std::string_view> TagTable();

    static tl::unexpected<base::Error> Stray(const Scanner& scanner, const Token& token) {
        const bool known = token.name.substr(0, 3) == "end" || token.name == "else" ||
                           token.name == "elsif" || token.name == "when";
        return scanner.Wrong(known ? "\"" + std::string(token.name) + "\" closes nothing here"
                                   : "there is no tag \"" + std::string(token.name) + "\"",
                             token.at);
    }

    // Reads nodes up to a tag that is not in the table (it ends or divides the block around; the
    // caller decides) or the end of the template, and returns that token.
    base::Result<Token> ParseBlock(Scanner& scanner, Block& block) {
        if (++depth_ > limits::kTemplateDepthMax) {
            TRY_ASSIGN(const Token token, scanner.Next());
            return scanner.Wrong("tags are nested more than " +
                                     std::to_string(limits::kTemplateDepthMax) + " deep",
                                 token.at);
        }
        while (true) {
            TRY_ASSIGN(const Token token, scanner.Next());
            if (token.piece == Piece::kText) {
                block.nodes.push_back(std::make_unique<TextNode>(token.text));
            } else if (token.piece == Piece::kOutput) {
                TRY(ParseEcho(scanner, token, block));
            } else {
                const Tag* const tag = token.piece == Piece::kTag ? FindTag(token.name) : nullptr;
                if (tag == nullptr) {
                    --depth_;
                    return token;
                }
                TRY((this->*tag->parse)(scanner, token, block));
            }
        }
    }

    static const Tag* FindTag(std::string_view name) {
        for (const Tag& tag : Tags()) {
            if (tag.name == name) return &tag;
        }
        return nullptr;
    }

    static tl::unexpected<base::Error> NotClosed(const Scanner& scanner, const Token& open,
                                                 const Token& found) {
        if (found.piece == Piece::kTag) return Stray(scanner, found);
        return scanner.Wrong("{% " + std::string(open.name) + " %} is not closed by {% end" +
                                 std::string(open.name) + " %}",
                             open.at);
    }

    static bool Ends(const Token& token, const Token& open) {
        return token.piece == Piece::kTag && token.name.substr(0, 3) == "end" &&
               token.name.substr(3) == open.name;
    }

    // The body of a block tag without dividers.
    base::Result<Block> ParseBody(Scanner& scanner, const Token& open) {
        Block body;
        TRY_ASSIGN(const Token end, ParseBlock(scanner, body));
        if (!Ends(end, open)) return NotClosed(scanner, open, end);
        return body;
    }

    Markup MarkupOf(const Token& token) const { return {token.markup, program_.source}; }

    // A name that is written to: letters, digits, "_" and "-".
    static base::Result<std::string_view> ReadTarget(const Markup& markup, std::string_view text) {
        const bool good =
            !text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
            });
        if (!good) return markup.Wrong("\"" + std::string(text) + "\" cannot be a name", text);
        return text;
    }

    base::Status ParseEcho(Scanner&, const Token& token, Block& block) {
        Markup markup = MarkupOf(token);
        TRY_ASSIGN(Filtered value, markup.ReadFiltered());
        block.nodes.push_back(std::make_unique<OutputNode>(std::move(value)));
        return {};
    }

    base::Status ParseAssign(Scanner& scanner, const Token& token, Block& block) {
        const size_t equals = token.markup.find('=');
        if (equals == std::string_view::npos) {
            return scanner.Wrong("assign is written {% assign name = value %}", token.at);
        }
        Markup markup(token.markup.substr(equals + 1), program_.source);
        TRY_ASSIGN(const std::string_view name,
                   ReadTarget(markup, Stripped(token.markup.substr(0, equals))));
        if (markup.AtEnd()) return markup.Unexpected("a value");
        TRY_ASSIGN(Filtered value, markup.ReadFiltered());
        block.nodes.push_back(std::make_unique<AssignNode>(name, std::move(value)));
        return {};
    }

    base::Status ParseCapture(Scanner& scanner, const Token& token, Block& block) {
        std::string_view name = token.markup;
        if (name.size() >= 2 && (name[0] == '\'' || name[0] == '"') && name.back() == name[0]) {
            name = name.substr(1, name.size() - 2);
        }
        TRY_ASSIGN(name, ReadTarget(MarkupOf(token), name));
        TRY_ASSIGN(Block body, ParseBody(scanner, token));
        block.nodes.push_back(std::make_unique<CaptureNode>(name, std::move(body)));
        return {};
    }

    base::Status ParseCounter(Scanner&, const Token& token, Block& block) {
        TRY_ASSIGN(const std::string_view name, ReadTarget(MarkupOf(token), token.markup));
        block.nodes.push_back(std::make_unique<CounterNode>(name, token.name == "increment"));
        return {};
    }

    // if and unless.
    base::Status ParseIf(Scanner& scanner, const Token& token, Block& block) {
        std::vector<Branch> branches(1);
        Markup markup = MarkupOf(token);
        TRY_ASSIGN(branches.back().condition, markup.ReadCondition());
        branches.back().negated = token.name == "unless";
        while (true) {
            TRY_ASSIGN(const Token divider, ParseBlock(scanner, branches.back().body));
            if (Ends(divider, token)) break;
            branches.emplace_back();
            if (divider.piece == Piece::kTag && divider.name == "elsif") {
                Markup test = MarkupOf(divider);
                TRY_ASSIGN(branches.back().condition, test.ReadCondition());
            } else if (divider.piece != Piece::kTag || divider.name != "else") {
                return NotClosed(scanner, token, divider);
            }
        }
        block.nodes.push_back(std::make_unique<IfNode>(std::move(branches)));
        return {};
    }

    base::Status ParseCase(Scanner& scanner, const Token& token, Block& block) {
        Markup markup = MarkupOf(token);
        TRY_ASSIGN(Expression value, markup.ReadExpression());
        TRY(markup.ExpectEnd());
        std::vector<When> whens;
        Block before;  // Between {% case %} and the first {% when %} nothing is printed.
        while (true) {
            Block& body = whens.empty() ? before : whens.back().body;
            TRY_ASSIGN(const Token divider, ParseBlock(scanner, body));
            if (Ends(divider, token)) break;
            whens.emplace_back();
            if (divider.piece == Piece::kTag && divider.name == "else") {
                whens.back().otherwise = true;
            } else if (divider.piece == Piece::kTag && divider.name == "when") {
                TRY_ASSIGN(whens.back().values, ReadWhen(divider));
            } else {
                return NotClosed(scanner, token, divider);
            }
        }
        block.nodes.push_back(std::make_unique<CaseNode>(std::move(value), std::move(whens)));
        return {};
    }

    base::Result<std::vector<Expression>> ReadWhen(const Token& token) {
        Markup markup = MarkupOf(token);
        std::vector<Expression> values;
        do {
            TRY_ASSIGN(Expression value, markup.ReadExpression());
            values.push_back(std::move(value));
        } while (markup.TakeIf(Word::kComma) || markup.TakeName("or"));
        TRY(markup.ExpectEnd());
        return values;
    }

    base::Result<LoopHead> ReadLoopHead(const Token& token) {
        Markup markup = MarkupOf(token);
        LoopHead head;
        if (markup.Peek().word != Word::kName) return markup.Unexpected("the name of the item");
        head.variable = markup.Take().text;
        if (!markup.TakeName("in")) return markup.Unexpected("\"in\"");
        TRY_ASSIGN(head.collection, markup.ReadExpression());
        head.name = std::string(head.variable) + "-" + std::string(head.collection.source);
        while (!markup.AtEnd()) {
            if (markup.TakeIf(Word::kComma)) continue;
            TRY(ReadLoopOption(markup, token, head));
        }
        return head;
    }

    static base::Status ReadLoopOption(Markup& markup, const Token& token, LoopHead& head) {
        const bool rows = token.name == "tablerow";
        if (!rows && markup.TakeName("reversed")) {
            head.reversed = true;
            return {};
        }
        std::unique_ptr<Expression>* place = nullptr;
        if (markup.Peek(1).word == Word::kColon) {
            const std::string_view name = markup.Peek().text;
            place = name == "limit"            ? &head.limit
                    : name == "offset"         ? &head.offset
                    : rows && name == "cols" ? &head.columns
                                               : nullptr;
        }
        if (place == nullptr) {
            return markup.Unexpected(rows ? "limit, offset or cols" : "limit, offset or reversed");
        }
        markup.Take();
        markup.Take();
        if (place == &head.offset && markup.TakeName("continue")) {
            head.offset_continue = true;
            return {};
        }
        TRY_ASSIGN(Expression value, markup.ReadExpression());
        *place = std::make_unique<Expression>(std::move(value));
        return {};
    }

    base::Status ParseFor(Scanner& scanner, const Token& token, Block& block) {
        TRY_ASSIGN(LoopHead head, ReadLoopHead(token));
        Block body;
        Block otherwise;
        TRY_ASSIGN(Token end, ParseBlock(scanner, body));
        if (end.piece == Piece::kTag && end.name == "else") {
            TRY_ASSIGN(end, ParseBlock(scanner, otherwise));
        }
        if (!Ends(end, token)) return NotClosed(scanner, token, end);
        block.nodes.push_back(std::make_unique<ForNode>(std::move(head), std::move(body),
                                                        std::move(otherwise)));
        return {};
    }

    base::Status ParseTableRow(Scanner& scanner, const Token& token, Block& block) {
        TRY_ASSIGN(LoopHead head, ReadLoopHead(token));
        TRY_ASSIGN(Block body, ParseBody(scanner, token));
        block.nodes.push_back(std::make_unique<TableRowNode>(std::move(head), std::move(body)));
        return {};
    }

    base::Status ParseJump(Scanner&, const Token& token, Block& block) {
        TRY(MarkupOf(token).ExpectEnd());
        const Flow flow = token.name == "break" ? Flow::kBreak : Flow::kContinue;
        block.nodes.push_back(std::make_unique<JumpNode>(flow));
        return {};
    }

    base::Status ParseCycle(Scanner&, const Token& token, Block& block) {
        Markup markup = MarkupOf(token);
        std::unique_ptr<Expression> group;
        std::vector<Expression> items;
        TRY_ASSIGN(Expression first, markup.ReadExpression());
        if (markup.TakeIf(Word::kColon)) {
            group = std::make_unique<Expression>(std::move(first));
            TRY_ASSIGN(first, markup.ReadExpression());
        }
        items.push_back(std::move(first));
        while (markup.TakeIf(Word::kComma)) {
            TRY_ASSIGN(Expression item, markup.ReadExpression());
            items.push_back(std::move(item));
        }
        TRY(markup.ExpectEnd());
        block.nodes.push_back(std::make_unique<CycleNode>(std::move(group), std::move(items)));
        return {};
    }

    base::Status ParseIfChanged(Scanner& scanner, const Token& token, Block& block) {
        TRY_ASSIGN(Block body, ParseBody(scanner, token));
        block.nodes.push_back(std::make_unique<IfChangedNode>(std::move(body)));
        return {};
    }

    base::Status ParseRaw(Scanner& scanner, const Token& token, Block& block) {
        TRY(MarkupOf(token).ExpectEnd());
        TRY_ASSIGN(const std::string_view raw, scanner.RawUntil("endraw", token));
        block.nodes.push_back(std::make_unique<TextNode>(raw));
        return {};
    }

    base::Status ParseDoc(Scanner& scanner, const Token& token, Block&) {
        TRY(MarkupOf(token).ExpectEnd());
        TRY_ASSIGN(const std::string_view doc, scanner.RawUntil("enddoc", token));
        Scanner inside(doc);
        if (inside.RawUntil("doc", token)) {
            return scanner.Wrong("{% doc %} cannot stand inside {% doc %}", token.at);
        }
        return {};
    }

    base::Status ParseComment(Scanner& scanner, const Token& token, Block&) {
        return scanner.SkipComment(token);
    }

    base::Status ParseInlineComment(Scanner& scanner, const Token& token, Block&) {
        std::string_view rest = token.markup;
        for (size_t line = rest.find('\n'); line != std::string_view::npos;
             line = rest.find('\n')) {
            rest = rest.substr(line + 1);
            const std::string_view text = LeftStripped(rest.substr(0, rest.find('\n')));
            if (!text.empty() && text[0] != '#') {
                return scanner.Wrong("every line of an inline comment begins with #", text);
            }
        }
        return {};
    }

    base::Status ParseLiquid(Scanner&, const Token& token, Block& block) {
        Scanner lines = Scanner::Lines(token.markup, program_.source);
        TRY_ASSIGN(const Token end, ParseBlock(lines, block));
        if (end.piece != Piece::kEnd) return Stray(lines, end);
        return {};
    }

    base::Status ParsePartial(Scanner&, const Token& token, Block& block) {
        Markup markup = MarkupOf(token);
        PartialCall call;
        call.isolated = token.name == "render";
        const bool quoted = markup.Peek().word == Word::kText;
        if (call.isolated && !quoted) return markup.Unexpected("the quoted name of a partial");
        const std::string_view place = markup.Peek().text;
        TRY_ASSIGN(call.name, markup.ReadExpression());
        if (quoted && std::find(partials_.begin(), partials_.end(), call.name.literal.text()) ==
                          partials_.end()) {
            return markup.Wrong(
                "there is no partial \"" + std::string(call.name.literal.text()) + "\"", place);
        }
        const bool each = markup.TakeName("for");
        if (each || markup.TakeName("with")) {
            TRY_ASSIGN(Expression bound, markup.ReadExpression());
            call.bound = std::make_unique<Expression>(std::move(bound));
            call.each = each;
            if (markup.TakeName("as")) {
                if (markup.Peek().word != Word::kName) return markup.Unexpected("a name");
                call.alias = markup.Take().text;
            }
        }
        while (!markup.AtEnd()) {
            if (markup.TakeIf(Word::kComma)) continue;
            if (markup.Peek().word != Word::kName) return markup.Unexpected("a name");
            NamedArgument argument;
            argument.name = markup.Take().text;
            TRY(markup.Expect(Word::kColon, "\":\""));
            TRY_ASSIGN(argument.value, markup.ReadExpression());
            call.arguments.push_back(std::move(argument));
        }
        block.nodes.push_back(std::make_unique<PartialNode>(std::move(call)));
        return {};
    }

    Program& program_;
    std::span<const std::string_view> partials_;
    int depth_ = 0;
};

std::span<const Parser::Tag> Parser::Tags() {
    static constexpr Tag kTags[] = {
        {"#", &Parser::ParseInlineComment},
        {"assign", &Parser::ParseAssign},
        {"break", &Parser::ParseJump},
        {"capture", &Parser::ParseCapture},
        {"case", &Parser::ParseCase},
        {"comment", &Parser::ParseComment},
        {"continue", &Parser::ParseJump},
        {"cycle", &Parser::ParseCycle},
        {"decrement", &Parser::ParseCounter},
        {"doc", &Parser::ParseDoc},
        {"echo", &Parser::ParseEcho},
        {"for", &Parser::ParseFor},
        {"if", &Parser::ParseIf},
        {"ifchanged", &Parser::ParseIfChanged},
        {"include", &Parser::ParsePartial},
        {"increment", &Parser::ParseCounter},
        {"liquid", &Parser::ParseLiquid},
        {"raw", &Parser::ParseRaw},
        {"render", &Parser::ParsePartial},
        {"tablerow", &Parser::ParseTableRow},
        {"unless", &Parser::ParseIf},
    };
    return kTags;
}

std::vector<std::string_view> TagTable() {
    std::vector<std::string_view> names;
    for (const Parser::Tag& tag : Parser::Tags()) names.push_back(tag.name);
    return names;
}

}  // namespace

std::vector<std::string_view> TagNames() {
    return TagTable();
}

std::string PlaceOf(std::string_view source, size_t offset) {
    const std::string_view before = source.substr(0, std::min(offset, source.size()));
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const size_t start = before.rfind('\n');
    const std::string_view line =
        start == std::string_view::npos ? before : before.substr(start + 1);
    return std::to_string(lines + 1) + ":" + std::to_string(CharacterCount(line) + 1);
}

base::Status ParseProgram(Program& program, std::span<const std::string_view> known_partials) {
    if (program.source.size() > limits::kTemplateBytesMax) {
        return base::Fail(base::ErrorCode::kTooLarge, "template past kTemplateBytesMax",
                          "the template is larger than 1 MB");
    }
    auto parsed = Parser(program, known_partials).ParseAll();
    if (parsed) return parsed;
    base::Error error = std::move(parsed.error());
    size_t offset = 0;
    std::from_chars(error.at.data(), error.at.data() + error.at.size(), offset);
    error.at = PlaceOf(program.source, offset);
    if (!program.name.empty()) error.at = program.name + ":" + error.at;
    return tl::make_unexpected(std::move(error));
}

}  // namespace liquid
