// Two reports of the same evaluation of two models: on which images only one of them is right, and
// how sure the difference is.
#pragma once

#include <string>
#include <vector>

#include "rnx/eval/paired.hpp"
#include "rnx/report/figure.hpp"
#include "rnx/report/json.hpp"

namespace rnx::inline RNX_ISA::report {

/// What a comparison reads of a model in a report.json and its per-sample file.
struct ComparedModel {
  std::string label{}, model{};
  std::string attack{}, norm{}, eps{}, lattice{};
  std::string images{};  ///< fingerprint of the data set
  std::size_t n = 0;
  /// one for each image; empty before a per-sample file was read
  std::vector<double> index{}, labels{};
  std::vector<bool> clean{}, robust{};
};

namespace detail {

inline const Json& compared_member(const Json& object, const char* key, Json::value_t type,
                                   const std::string& what) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  const bool fine =
      at != object.end() &&
      (at->type() == type || (type == Json::value_t::number_unsigned && at->is_number_integer() &&
                              at->template get<std::int64_t>() >= 0));
  require<FileError>(fine, [&] {
    return what + ": expected the report.json of an evaluation, found no " + std::string(key) +
           " of the type that it has there";
  });
  return *at;
}

}  // namespace detail

namespace detail {

/// The names of the attacks, where a surrogate is named by its weights' checksum and not by the
/// file that they lie in.
inline std::string compared_attacks(const Json& rows, const std::string& what) {
  std::vector<std::string> names;
  for (const Json& row : rows) {
    auto name = compared_member(row, "name", Json::value_t::string, what).get<std::string>();
    if (row.contains("surrogate")) {
      const std::size_t begin = name.find("weights=");
      const std::size_t end = std::min(name.find(',', begin), name.size());
      if (begin != name.npos)
        name.replace(
            begin, end - begin,
            "weights=" +
                compared_member(row, "surrogate", Json::value_t::string, what).get<std::string>());
    }
    if (name != "clean" && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " + ") + name;
  return all.empty() ? "clean" : all;
}

}  // namespace detail

/// The models of a report.json. Errors: FileError (it is none, or of another schema).
inline std::vector<ComparedModel> compared_models(std::string_view text, const std::string& what) {
  using detail::compared_member, detail::Json;
  using Type = Json::value_t;
  const Json json = Json::parse(text, nullptr, false);
  const auto schema =
      compared_member(json, "schema", Type::number_unsigned, what).get<std::uint64_t>();
  require<FileError>(schema == 1 || schema == 2, [&] {
    return what + ": expected schema 1 or 2, found " + std::to_string(schema);
  });
  const Json& settings = compared_member(json, "settings", Type::object, what);
  std::vector<ComparedModel> models;
  for (const Json& m : compared_member(json, "models", Type::array, what)) {
    const auto word = [&](const char* key) {
      return compared_member(m, key, Type::string, what).get<std::string>();
    };
    ComparedModel c{
        .label = word("label"), .model = word("model"), .norm = word("norm"), .eps = word("eps")};
    c.images = compared_member(settings, "fingerprint", Type::string, what).get<std::string>();
    c.n = compared_member(m, "n", Type::number_unsigned, what).get<std::size_t>();
    const Json& rows = compared_member(m, "attacks", Type::array, what);
    c.attack = detail::compared_attacks(rows, what);
    for (const Json& row : rows)
      if (row.is_object() && row.contains("lattice"))
        c.lattice = compared_member(row, "lattice", Type::string, what).get<std::string>();
    if (c.lattice == "report") c.lattice = "off";  // which counts the same
    if (c.lattice.empty()) c.lattice = "off";
    models.push_back(std::move(c));
  }
  require<FileError>(!models.empty(), [&] { return what + ": there is no model in it"; });
  return models;
}

/// Reads the model's images out of its per-sample file. Errors: FileError.
inline void read_samples(ComparedModel& m, std::string_view csv, const std::string& what) {
  const detail::MetricsTable table = detail::read_metrics(csv, what);
  const auto column = [&](const char* name) -> const std::vector<double>& {
    const auto at = std::find(table.names.begin(), table.names.end(), name);
    require<FileError>(at != table.names.end(), [&] {
      return what + ", line 1: expected a column " + std::string(name) + ", found none";
    });
    return table.columns[std::size_t(at - table.names.begin())];
  };
  m.index = column("index");
  m.labels = column("label");
  const auto &clean = column("clean_pred"), &robust = column("robust");
  require<FileError>(m.index.size() == m.n, [&] {
    return what + ": expected " + std::to_string(m.n) + " images, as the report has, found " +
           std::to_string(m.index.size());
  });
  m.clean.clear();
  m.robust.clear();
  for (std::size_t i = 0; i < m.n; ++i) {
    const bool right = clean[i] == m.labels[i];
    require<FileError>(robust[i] == 0 || (robust[i] == 1 && right), [&] {
      return what + ", line " + std::to_string(i + 2) + ": it contradicts itself";
    });
    m.clean.push_back(right);
    m.robust.push_back(robust[i] == 1);
  }
}

struct Comparison {
  eval::Paired clean{}, robust{};
};

/// Errors: UsageError (other images, attacks, norms, radii or lattices: their numbers say nothing
/// of each other).
inline Comparison compare(const ComparedModel& a, const ComparedModel& b) {
  const auto same = [&](const char* what, const std::string& x, const std::string& y) {
    require(x == y, [&] {
      return "compare: the reports have other " + std::string(what) + ", " + io::in_quotes(x) +
             " and " + io::in_quotes(y);
    });
  };
  same("images (fingerprints)", a.images, b.images);
  same("numbers of images", std::to_string(a.n), std::to_string(b.n));
  same("attacks", a.attack, b.attack);
  same("norms", a.norm, b.norm);
  same("radii", a.eps, b.eps);
  same("lattices", a.lattice, b.lattice);
  require(a.index == b.index && a.labels == b.labels,
          "compare: the reports are of other images of the data set");
  Comparison c;
  for (std::size_t i = 0; i < a.index.size(); ++i) {
    c.clean.add(a.clean[i], b.clean[i]);
    c.robust.add(a.robust[i], b.robust[i]);
  }
  return c;
}

}  // namespace rnx::inline RNX_ISA::report
