// What is told from the first lines of a file: headers, columns by name and by order, formats that are refused.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "ingest/files/other_formats.hpp"
#include "ingest/records/file_layout.hpp"

namespace cohort {
namespace {

DetectedLayout detected(const std::string& text, const LayoutRequest& request = {}, const std::string& name = "f.csv") {
  return detect_layout(text, name, request);
}

LayoutRequest with_header(bool header) {
  LayoutRequest request;
  request.header = header;
  return request;
}

LayoutRequest of_role(FileRole role) {
  LayoutRequest request;
  request.role = role;
  return request;
}

using Columns = std::tuple<std::int32_t, std::int32_t, std::int32_t, std::int32_t>;

// User, item, weight, time.
Columns columns(const DetectedLayout& detected) {
  return {detected.layout.first, detected.layout.second, detected.layout.weight, detected.layout.time};
}

bool warns(const DetectedLayout& detected, const std::string& part) {
  for (const auto& warning : detected.notes.warnings) {
    if (warning.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST(Roles, OfRecBoleAreByNameWhateverTheOrder) {
  const auto of = [](const std::string& header) { return columns(detected(header + "\n1\t2\t3\t4\n", {}, "f.inter")); };
  EXPECT_EQ(of("review_id:token\tuser_id:token\tbusiness_id:token\tstars:float"), Columns(1, 2, 3, -1));
  EXPECT_EQ(of("item_id:token\tuser_id:token\trating:float\ttimestamp:float"), Columns(1, 0, 2, 3));
  EXPECT_EQ(of("user_id:token\tseller_id:token\titem_id:token\tdate:float"), Columns(0, 2, -1, 3));
  EXPECT_EQ(of("session_id:token\titem_id:token\tuser_id:token\ttime:float"), Columns(2, 1, -1, 3));
  EXPECT_EQ(of("foo:token\tbar:token\tbaz:token\trating:float"), Columns(0, 1, 3, -1)) << "no name is known";
  EXPECT_EQ(of("rating:float\tfoo:token\tuser_id:token\treview_id:token"), Columns(2, 1, 0, -1));
  EXPECT_EQ(of("session_id:token\titem_id:token\ttimestamp:float\tnumber:float"), Columns(0, 1, -1, 2));
  EXPECT_THROW(detected("user_id:float\titem_id:float\n1\t2\n", {}, "f.inter"), InputError);
}

TEST(Roles, OfHeadersOfTheFieldsDataSets) {
  const auto of = [](const std::string& header, const std::string& line) {
    return columns(detected(header + "\n" + line + "\n"));
  };
  EXPECT_EQ(of("Id,ProductId,UserId,ProfileName,HelpfulnessNumerator,Score,Time", "1,B1,A3,x,1,5,1303862400"),
            Columns(2, 1, 5, 6));
  EXPECT_EQ(of("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID",
               "536365,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850"),
            Columns(6, 1, 3, 4));
  EXPECT_EQ(of("reviewerID,asin,reviewerName,overall,reviewTime,unixReviewTime", "A1,B2,x,5,\"02 4, 2018\",1517702400"),
            Columns(0, 1, 3, 5));
  EXPECT_EQ(of("rating,title,asin,parent_asin,user_id,timestamp,helpful_vote", "5,x,B1,B0,AE,1588687728923,0"),
            Columns(4, 3, 0, 5));
  EXPECT_EQ(of("timestamp,visitorid,event,itemid,transactionid", "1433221332117,257597,view,355908,"),
            Columns(1, 3, -1, 0));
  EXPECT_EQ(of("User-ID,ISBN,Book-Rating", "276725,034545104X,0"), Columns(0, 1, 2, -1));
  EXPECT_EQ(of("user_id,artist id,PLAY.COUNT", "1,2,3"), Columns(0, 1, 2, -1));
  EXPECT_EQ(of("t_dat,customer_id,article_id,price", "20180920,c1,663713001,0.05"), Columns(1, 2, -1, 0));
  EXPECT_EQ(of("session,aid,ts,type", "1,59625,1661724000278,clicks"), Columns(0, 1, -1, 2));
  EXPECT_EQ(of(",user_id,item_id,rating", "0,u1,i1,5"), Columns(1, 2, 3, -1)) << "pandas' index";
  EXPECT_THROW(of("review_id,user_id,age", "r1,u1,31"), InputError) << "what is left need not be the item";
  EXPECT_EQ(of("user_id,user_name,item_id", "1,anna,2"), Columns(0, 2, -1, -1));
  EXPECT_EQ(of("# FromNodeId,user_id,ToNodeId,item id", "1,2,3,4"), Columns(1, 3, -1, -1));
}

// 1 January 2020, as it is counted elsewhere, and a date in March 2020 as it is usual.
TEST(Times, OfOtherCountsAreWarnedOf) {
  const auto of = [](const std::string& time) { return detected("user_id,item_id,timestamp\nu1,i1," + time + "\n"); };
  for (const std::string other : {"637134336000000000", "132223104000000000", "13222310400000000", "599529600"}) {
    EXPECT_TRUE(warns(of(other), "would be of the year")) << other;
  }
  for (const std::string usual :
       {"1583020800", "1583020800000", "1583020800000000", "1583020800000000000", "43891.5", "2020030112"}) {
    EXPECT_FALSE(warns(of(usual), "would be of the year")) << usual;
  }
}

TEST(Roles, OfFriendsAndClassesMayBeLeftOver) {
  EXPECT_EQ(columns(detected("user_id,other one\n1,2\n", of_role(FileRole::social))), Columns(0, 1, -1, -1));
  EXPECT_EQ(columns(detected("friendID,userID\n1,2\n", of_role(FileRole::social))), Columns(1, 0, -1, -1));
  EXPECT_THROW(detected("user_id,item_id\n1,2\n", of_role(FileRole::social)), InputError) << "items are no friends";
  EXPECT_EQ(columns(detected("tier,customer\ngold,1\n", of_role(FileRole::labels))), Columns(1, 0, -1, -1));
}

TEST(Header, OfUnknownNamesIsToldFromTypes) {
  const auto words = detected("account holder,thing\n12,44\n13,44\n");
  EXPECT_EQ(words.layout.header_lines, 1);
  EXPECT_EQ(columns(words), Columns(0, 1, -1, -1));
  EXPECT_TRUE(warns(words, "input.columns.user"));
  EXPECT_EQ(detected("foo,bar,baz\nu1,i1,5\nu2,i2,4\n").layout.header_lines, 1);
  EXPECT_EQ(detected("foo,bar\nu1,i1\nu2,i1\n").layout.header_lines, 1) << "words above ids with digits";
  EXPECT_EQ(columns(detected(",foo,bar\n0,a,x\n1,b,y\n")), Columns(1, 2, -1, -1));
  EXPECT_EQ(columns(detected("0,1,2\na,x,5\nb,y,3\n")), Columns(0, 1, -1, -1)) << "numbers that pandas writes as names";
  EXPECT_EQ(detected("foo bar\n1 2\n3 4\n", of_role(FileRole::social), "f.txt").layout.header_lines, 1);
  LayoutRequest indexed;
  indexed.columns = {{"user", "1"}, {"item", "0"}};
  const auto by_index = detected("foo,bar\n1,2\n3,4\n", indexed);
  EXPECT_EQ(by_index.layout.header_lines, 1);
  EXPECT_EQ(columns(by_index), Columns(1, 0, -1, -1));
  EXPECT_EQ(detected("when,who,what\n2014-04-07,anna,milk\n2014-04-08,bob,milk\n").layout.header_lines, 1);
}

TEST(Header, IsNotSeenInRecords) {
  for (const std::string text :
       {"u1,i1\nu2,i2\n", "u1,i1,x5\nu2,i2,4\n", "anna,milk\nbob,bread\nanna,bread\n", "1,2\n3,4\n", "book,1\nu2,2\n",
        "user,x\nuser,y\nz,x\n", "1,a\n2,b\n", "u1,book\nu2,pen\n", "a,1\n", "u1,NA\nu2,3\n"}) {
    const auto request = text == "u1,i1,x5\nu2,i2,4\n"
                             ? LayoutRequest{FileRole::interactions, InputFormat::csv, {{"user", "0"}}, {}}
                             : LayoutRequest{};
    EXPECT_EQ(detected(text, request).layout.header_lines, 0) << text;
  }
  const auto colons = detected("user:1\titem:7\t5\nuser:2\titem:7\t3\n", {}, "f.tsv");
  EXPECT_EQ(colons.layout.header_lines, 0);
  EXPECT_EQ(columns(colons), Columns(0, 1, 2, -1));
  EXPECT_EQ(colons.layout.format, TextFormat::tsv);
}

TEST(Header, IsWhatTheUserSaysItIs) {
  EXPECT_EQ(detected("anna,milk\nbob,bread\n", with_header(true)).layout.header_lines, 1);
  EXPECT_EQ(detected("user_id,item_id\nbob,bread\n", with_header(false)).layout.header_lines, 0);
  EXPECT_EQ(detected("a:token\tb:token\n1\t2\n", with_header(false), "f.inter").layout.format, TextFormat::tsv);
  EXPECT_TRUE(warns(detected("1,2\n3,4\n", with_header(true)), "input.header"));
  LayoutRequest lists = with_header(true);
  lists.format = InputFormat::lightgcn;
  EXPECT_EQ(detected("user items\n1 2 3\n", lists, "f.txt").layout.header_lines, 1);
  lists.header.reset();
  EXPECT_EQ(detected("user items\n1 2 3\n", lists, "f.txt").layout.header_lines, 1);
  EXPECT_EQ(detected("0 1\n1 2 3\n", lists, "f.txt").layout.header_lines, 0);
}

TEST(Header, OfAPartServesTheOthers) {
  const std::vector<std::string> names{"a.csv", "b.csv", "c.csv", "d.csv"};
  const std::vector<std::string> heads{"item_id,user_id,rating\ni1,u1,5\n", "i2,u2,3\n",
                                       "item_id,user_id,rating\ni,u,1\n", "i2,u2\n"};
  const auto layouts = detect_layouts(names, {}, [&](std::size_t f) { return heads[f]; });
  EXPECT_EQ(columns(layouts[1]), Columns(1, 0, 2, -1));
  EXPECT_EQ(layouts[1].layout.header_lines, 0);
  EXPECT_EQ(layouts[1].notes.header_of, "a.csv");
  EXPECT_EQ(layouts[2].layout.header_lines, 1);
  EXPECT_TRUE(layouts[1].notes.warnings.empty());
  EXPECT_TRUE(warns(layouts[3], "differently from a.csv"));
}

TEST(Shapes, ThatTellOfAMisreadingAreWarnedOf) {
  const auto yoochoose = detected("1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n");
  EXPECT_TRUE(warns(yoochoose, "looks like times"));
  EXPECT_TRUE(warns(yoochoose, "input.columns.item"));
  EXPECT_TRUE(warns(yoochoose, "looks like ids"));
  const auto places = detected(
      "0\t2010-10-19T23:55:27Z\t30.23\t-97.79\t22847\n0\t2010-10-18T22:17:43Z\t30.26\t-97.76\t4\n", {}, "f.tsv");
  EXPECT_TRUE(warns(places, "input.columns.item"));
  EXPECT_TRUE(warns(places, "looks like no time"));
  const auto semicolons = detected("u1;i1;4,5\nu2;i2;3,0\n");
  EXPECT_EQ(semicolons.layout.separator, ';');
  EXPECT_TRUE(semicolons.layout.decimal_comma);
  EXPECT_EQ(columns(semicolons), Columns(0, 1, 2, -1));
  EXPECT_TRUE(warns(detected("0,u1,5\n1,u1,4\n2,u2,3\n"), "counts the lines"));
  EXPECT_TRUE(warns(detected("1,881250949,3\n2,891717742,3\n1,878887116,1\n"), "looks like times"));
  EXPECT_TRUE(warns(detected("1.0,2.0\n3.0,4.0\n"), "real numbers"));
  EXPECT_TRUE(warns(detected("user_id,item_id,date\n1,2,week 11\n1,3,week 12\n"), "times that cannot be read"));
  EXPECT_EQ(columns(detected("user_id,item_id,date\n1,2,11/1/2000\n1,3,11/13/2000\n")), Columns(0, 1, -1, 2));
  for (const std::string text : {"1,2,3\n2,2,4\n", "u1,i1,5,881250949\nu1,i2,4,881250950\n", "0,0\n0,1\n0,2\n",
                                 "1,2\n2,3\n3,4\n", "123456789,1000000,1\n123456780,1000001,2\n"}) {
    EXPECT_TRUE(detected(text).notes.warnings.empty()) << text << detected(text).notes.warnings.front();
  }
}

TEST(OtherFormats, AreNamedByTheirFirstBytes) {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, std::string>> formats{
      {"PK\x03\x04\x14\x00"s, "zip"},
      {"BZh91AY&SY\x01\x02"s, "bzip2"},
      {"\xFD\x37zXZ\x00\x00"s, "xz"},
      {"\x28\xB5\x2F\xFD\x04"s, "zstd"},
      {"PAR1\x15\x04\x15\x00"s, "Parquet"},
      {"\x80\x04\x95\x10"s, "pickle"},
      {"\x93NUMPY\x01\x00"s, "NumPy"},
      {"\x89HDF\r\n\x1A\n\x00"s, "HDF5"},
      {"Cohort file: HDF5 behind this block of 8192 bytes; cohort info\n\0"s, "HDF5 file of Cohort's"},
      {"SQLite format 3\0\x10"s, "SQLite"},
      {"\xFF\xFEu\0s\0e\0r\0"s, "UTF-16"},
      {"\xFE\xFF\0u\0s\0e\0r"s, "UTF-16"},
      {"\xFF\xFE\0\0u\0\0\0"s, "UTF-32"},
      {"u\0s\0e\0r\0,\0i\0\n\0"s, "UTF-16"},
      {"{\"user_id\": \"u1\", \"item_id\": \"i1\"}\n"s, "JSON"},
      {"[{\"user_id\": \"u1\"},\n"s, "JSON"},
      {"[\n  {\n"s, "JSON"},
      {"[\"u1\", \"i1\", 5]\n"s, "JSON"},
      {"\xEF\xBB\xBF {'reviewerID': 'A'}\n"s, "JSON"},
      {"<!DOCTYPE html><html>"s, "HTML"},
      {"%%MatrixMarket matrix coordinate"s, "MatrixMarket"},
      {"\x01\x02\x00\x03\x00\x05\x06\x00"s, "binary"}};
  for (const auto& [bytes, name] : formats) {
    try {
      refuse_other_formats(bytes, "some/file");
      ADD_FAILURE() << name;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("some/file"), std::string::npos);
      EXPECT_NE(message.find(name), std::string::npos) << message;
      for (const char c : message) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << message;
    }
  }
  for (const std::string text : {"PAR1,i1\nu2,i3\n", "BZhang,i1\n", "ORC,2\n", "1,2,3\n", "[tag],1\n", "{x},y\n",
                                 "LZIP\t1\n", "\xC3\xA9,1\n", "", "1"}) {
    EXPECT_NO_THROW(refuse_other_formats(text, "f")) << text;
  }
}

}  // namespace
}  // namespace cohort
