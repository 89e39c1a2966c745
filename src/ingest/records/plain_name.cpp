// Columns' names without what only looks differ in: spelling, units, what databases wrap values in, language.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "ingest/records/column_names.hpp"
#include "ingest/records/file_head.hpp"

namespace cohort {

namespace {

// What exports in other languages call their columns, by plain name.
constexpr std::array in_english =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"aantal", "quantity"},
                                                                  {"anzahl", "quantity"},
                                                                  {"articulo", "productid"},
                                                                  {"artikel", "itemid"},
                                                                  {"artikelid", "itemid"},
                                                                  {"artikelnr", "itemid"},
                                                                  {"artikelnummer", "itemid"},
                                                                  {"avaliacao", "rating"},
                                                                  {"avaliação", "rating"},
                                                                  {"benutzer", "userid"},
                                                                  {"benutzerid", "userid"},
                                                                  {"bestelldatum", "date"},
                                                                  {"bewertung", "rating"},
                                                                  {"cantidad", "quantity"},
                                                                  {"cliente", "customerid"},
                                                                  {"clienteid", "customerid"},
                                                                  {"datum", "date"},
                                                                  {"fecha", "date"},
                                                                  {"gebruiker", "userid"},
                                                                  {"horodatage", "timestamp"},
                                                                  {"idarticulo", "productid"},
                                                                  {"idclient", "customerid"},
                                                                  {"idcliente", "customerid"},
                                                                  {"idcustomer", "customerid"},
                                                                  {"iditem", "itemid"},
                                                                  {"idprodotto", "productid"},
                                                                  {"idproduct", "productid"},
                                                                  {"idproducto", "productid"},
                                                                  {"idproduit", "productid"},
                                                                  {"idproduto", "productid"},
                                                                  {"iduser", "userid"},
                                                                  {"idusuario", "userid"},
                                                                  {"idutente", "userid"},
                                                                  {"idutilisateur", "userid"},
                                                                  {"klant", "customerid"},
                                                                  {"klantid", "customerid"},
                                                                  {"kunde", "customerid"},
                                                                  {"kundeid", "customerid"},
                                                                  {"kundenid", "customerid"},
                                                                  {"kundennr", "customerid"},
                                                                  {"kundennummer", "customerid"},
                                                                  {"kundenr", "customerid"},
                                                                  {"menge", "quantity"},
                                                                  {"nutzer", "userid"},
                                                                  {"nutzerid", "userid"},
                                                                  {"prodotto", "productid"},
                                                                  {"prodottoid", "productid"},
                                                                  {"producto", "productid"},
                                                                  {"productoid", "productid"},
                                                                  {"produit", "productid"},
                                                                  {"produitid", "productid"},
                                                                  {"produkt", "productid"},
                                                                  {"produktid", "productid"},
                                                                  {"produktnr", "productid"},
                                                                  {"produktnummer", "productid"},
                                                                  {"produto", "productid"},
                                                                  {"produtoid", "productid"},
                                                                  {"puntuacion", "rating"},
                                                                  {"puntuación", "rating"},
                                                                  {"quantidade", "quantity"},
                                                                  {"quantita", "quantity"},
                                                                  {"quantite", "quantity"},
                                                                  {"quantità", "quantity"},
                                                                  {"quantité", "quantity"},
                                                                  {"usuario", "userid"},
                                                                  {"usuarioid", "userid"},
                                                                  {"utente", "userid"},
                                                                  {"utenteid", "userid"},
                                                                  {"utilisateur", "userid"},
                                                                  {"utilisateurid", "userid"},
                                                                  {"valoracion", "rating"},
                                                                  {"valoración", "rating"},
                                                                  {"valutazione", "rating"},
                                                                  {"voto", "rating"},
                                                                  {"zeit", "time"},
                                                                  {"zeitstempel", "timestamp"}});

// Without what databases say of a value's type: MongoDB's {"user_id": {"$oid": "5f"}}, DynamoDB's {"userId": {"S":
// "5"}}.
std::string_view unwrapped(std::string_view name) {
  if (const auto dollar = name.find(".$"); dollar != std::string_view::npos) return name.substr(0, dollar);
  return name.ends_with(".S") || name.ends_with(".N") ? name.substr(0, name.size() - 2) : name;
}

// What stands before the last dot, with it.
std::string_view prefix_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot + 1);
}

}  // namespace

std::string plain_name(std::string_view field) {
  std::string result;
  field = unwrapped(without_type(field));
  // A unit, or a range: rating (1-5).
  if (field.ends_with(')') || field.ends_with(']')) {
    const auto open = field.find_last_of("([");
    if (open != std::string_view::npos && open > 0) field = field.substr(0, open);
  }
  for (const char c : field) {
    if (std::string_view(" \t-_.#%@\"'").find(c) != std::string_view::npos) continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto* const word =
      std::ranges::find(in_english, std::string_view(result), &std::pair<std::string_view, std::string_view>::first);
  return word == in_english.end() ? result : std::string(word->second);
}

std::string_view last_part(std::string_view name) {
  name = unwrapped(name);
  const auto prefix = prefix_of(name);
  return prefix.empty() ? std::string_view() : name.substr(prefix.size());
}

std::string_view name_beside(std::string_view name, std::string_view first, std::string_view second) {
  const auto prefix = prefix_of(unwrapped(first));
  const bool together =
      !prefix.empty() && prefix_of(unwrapped(second)) == prefix && prefix_of(unwrapped(name)) == prefix;
  return together ? last_part(name) : name;
}

}  // namespace cohort
