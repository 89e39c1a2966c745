// The names that columns have in the data sets of the field, by what they mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

enum class Meaning : std::int32_t { user, item, weight, time, event, source, target, label };

/// A name as names are compared: without a type of RecBole's, MongoDB's or DynamoDB's, in small letters, without
/// blanks, '-', '_', '.', '#', '%' and '@', and in English (Kundennummer is customerid). Local.
std::string plain_name(std::string_view field);

/// "product_id" of "properties.product_id"; empty: there is no dot. Local.
std::string_view last_part(std::string_view name);

/// The last part where the name and those of both ids stand in one object or table ("ratings.rating" beside
/// "ratings.user_id" and "ratings.item_id"), else the name. Local.
std::string_view name_beside(std::string_view name, std::string_view first, std::string_view second);

/// The plain names of columns of this meaning, the ones to be preferred first. Local.
std::span<const std::string_view> known_names(Meaning meaning);

/// Whether a column's name says that it has this meaning. Local.
bool means(std::string_view field, Meaning meaning);

/// Whether it says so beyond doubt: an "id", a "user", an "asin", not a "book" or a "page", which may be an id as well.
bool surely_means(std::string_view field, Meaning meaning);

/// How many of the fields are names of users, items, weights or times. Local.
std::ptrdiff_t known_names_in(const std::vector<std::string>& fields);

/// A name of what numbers the records themselves (review_id, order_id, index, pandas' empty name): never a user or an
/// item. Local.
bool numbers_records(std::string_view field);

}  // namespace cohort
