// Room report: results as report.json, report.md, report.html and per_sample.csv. Included by name:
// its JSON costs a translation unit more than networks do.
#pragma once

#include "rnx/report/bar_chart.hpp"
#include "rnx/report/compare.hpp"
#include "rnx/report/figure.hpp"
#include "rnx/report/heat_map.hpp"
#include "rnx/report/histogram.hpp"
#include "rnx/report/html.hpp"
#include "rnx/report/json.hpp"
#include "rnx/report/line_chart.hpp"
#include "rnx/report/markdown.hpp"
#include "rnx/report/png.hpp"
#include "rnx/report/result.hpp"
#include "rnx/report/scatter.hpp"
#include "rnx/report/svg.hpp"
#include "rnx/report/table.hpp"
#include "rnx/report/table_source.hpp"
#include "rnx/report/table_text.hpp"
#include "rnx/report/text.hpp"
#include "rnx/report/verdict.hpp"
#include "rnx/report/write.hpp"
