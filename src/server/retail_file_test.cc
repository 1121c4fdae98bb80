#include "server/retail_file.h"

#include <gtest/gtest.h>

namespace server {
namespace {

constexpr std::string_view kHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

base::Result<RetailFile> Read(std::string_view lines) {
    return ParseRetail(std::string(kHeader) + std::string(lines));
}

TEST(RetailFile, LinesOfOneNumberAreOneInvoiceWithTheirSum) {
    const auto file = Read(
        "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
        "536366,22633,WARMER,1,2010-12-01 08:28:00,1.85,17850.0,United Kingdom\n"
        "536365,71053,LANTERN,2,2010-12-01 08:27:00,3.39,17850.0,United Kingdom\n");
    ASSERT_TRUE(file);
    ASSERT_EQ(2u, file->invoices.size());
    const Invoice& first = file->invoices[0];
    EXPECT_EQ("536365", first.number);
    EXPECT_EQ("17850", first.customer);
    EXPECT_EQ(*base::ParseIso("2010-12-01T08:26:00Z"), first.time_ms);
    EXPECT_EQ(2u, first.lines.size());
    EXPECT_DOUBLE_EQ(22.08, first.revenue);
    EXPECT_FALSE(first.refund);
    EXPECT_EQ(*base::ParseIso("2010-12-01T08:28:00Z"), file->last_ms);
}

TEST(RetailFile, ANumberWithCIsARefund) {
    const auto file = Read("C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527.0,France\n");
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->invoices.at(0).refund);
    EXPECT_DOUBLE_EQ(-27.5, file->invoices[0].revenue);
}

TEST(RetailFile, LinesWithoutCustomerAreCountedAndTheirTimeIsTheEnd) {
    const auto file = Read(
        "1,A,a,1,2010-12-01 09:00:00,1,7,France\n"
        "2,B,b,1,2010-12-02 09:00:00,1,,France\n");
    ASSERT_TRUE(file);
    EXPECT_EQ(1u, file->invoices.size());
    EXPECT_EQ(2u, file->lines);
    EXPECT_EQ(1u, file->lines_skipped);
    EXPECT_EQ(*base::ParseIso("2010-12-02T09:00:00Z"), file->last_ms);
}

TEST(RetailFile, QuotedFieldsHoldCommasQuotesAndLineEnds) {
    const auto file = Read("1,A,\"a, \"\"b\"\"\r\nc\",1,2010-12-01 09:00:00,1,7,EIRE\r\n");
    ASSERT_TRUE(file);
    EXPECT_EQ("a, \"b\"\r\nc", file->invoices.at(0).lines.at(0).name);
    EXPECT_EQ("EIRE", file->invoices[0].country);
}

TEST(RetailFile, WrongValuesAreNamedByTheirLine) {
    const auto where = [](std::string_view lines) {
        const auto file = Read(lines);
        return file ? std::string("read") : file.error().at;
    };
    EXPECT_EQ("line 2", where("1,A,a,x,2010-12-01 09:00:00,1,7,F\n"));
    EXPECT_EQ("line 2", where("1,A,a,1,yesterday,1,7,F\n"));
    EXPECT_EQ("line 2", where("1,A,a,1,2010-12-01 09:00:00,1,7\n"));
    EXPECT_EQ("line 3", where("\n1,A,\"a,1,2010-12-01 09:00:00,1,7,F\n"));
    EXPECT_EQ("line 2", where("1,A,\"a\"b,1,2010-12-01 09:00:00,1,7,F\n"));
    const auto empty = ParseRetail("InvoiceNo,StockCode\n");
    ASSERT_FALSE(empty);
    EXPECT_EQ("The column Description is missing.", empty.error().public_text);
}

TEST(RetailFile, AFileThatIsNotThereSaysSo) {
    const auto file = ReadRetailFile("/nowhere/at/all.csv");
    ASSERT_FALSE(file);
    EXPECT_EQ(base::ErrorCode::kNotFound, file.error().code);
}

}  // namespace
}  // namespace server
