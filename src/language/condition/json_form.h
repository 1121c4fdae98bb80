// The JSON form of a condition, for the builder, the API and stored definitions. Fields that hold
// their default are left out; the order of fields is the one written here.
//   {"everyone":true}
//   {"and":[C, C, ...]}   {"or":[C, C, ...]}   {"not":C}
//   {"segment":"Name"}
//   {"attribute":"plan","op":"is","value":"pro"}          attribute | first_touch | last_touch, and
//                                                         property inside "where"
//       op: is is_not contains not_contains starts ends matches has      "value": literal
//           greater greater_equal less less_equal                        "value": number
//           before after                                                 "value": ISO 8601 text
//           in not_in                                                    "values": [literal, ...]
//           between                                                      "values": [low, high]
//           more_than_ago within_last more_than_ahead within_next        "span": "7d"
//           known unknown                                                nothing
//   {"did":"Event","where":C,"at_least":2,"at_most":4,"within":"7d","since_entry":true}
//       at_least is 1 and at_most unlimited when left out
//   {"first":"Event","where":C,"op":"more_than_ago","span":"30d"}        first | last
//       op: more_than_ago within_last with "span"; before after with "date"
//   {"sum":"revenue","of":"Event","where":C,"within":"30d","since_entry":true,
//    "op":"greater_equal","value":1000}                                  sum | avg | max | min
//       op: is is_not greater greater_equal less less_equal; between with "values"
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "language/condition/expression.h"

namespace simdjson::dom {
class element;
}

namespace condition {

// ToJson(FromJson(ToJson(e))) is ToJson(e), byte for byte.
std::string ToJson(const Expression& expression);

// An "and" or "or" of one condition reads as that condition.
// Errors: kInvalidArgument with `at` = the path, e.g. "and[1].where.op"; fields that are unknown,
//   doubled, missing or do not belong to the operator are refused. kTooLarge: as Parse.
// Threads: any.
base::Result<ExpressionPtr> FromJson(std::string_view json);
base::Result<ExpressionPtr> FromJson(const simdjson::dom::element& json);

}  // namespace condition
