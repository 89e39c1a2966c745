#include "ingest/records/column_names.hpp"

#include <algorithm>
#include <array>

namespace cohort {

namespace {

constexpr std::array users = std::to_array<std::string_view>({"user",
                                                              "userid",
                                                              "uid",
                                                              "userids",
                                                              "userkey",
                                                              "usersk",
                                                              "usercode",
                                                              "userhash",
                                                              "userguid",
                                                              "useruuid",
                                                              "usernumber",
                                                              "userno",
                                                              "useridx",
                                                              "userindex",
                                                              "usr",
                                                              "usrid",
                                                              "customer",
                                                              "customerid",
                                                              "customerkey",
                                                              "customerno",
                                                              "customernumber",
                                                              "customercode",
                                                              "cust",
                                                              "custid",
                                                              "custno",
                                                              "client",
                                                              "clientid",
                                                              "visitor",
                                                              "visitorid",
                                                              "fullvisitorid",
                                                              "member",
                                                              "memberid",
                                                              "membernumber",
                                                              "memberno",
                                                              "account",
                                                              "accountid",
                                                              "accountno",
                                                              "acct",
                                                              "acctid",
                                                              "reviewer",
                                                              "reviewerid",
                                                              "rater",
                                                              "raterid",
                                                              "person",
                                                              "personid",
                                                              "profile",
                                                              "profileid",
                                                              "buyer",
                                                              "buyerid",
                                                              "shopper",
                                                              "shopperid",
                                                              "consumer",
                                                              "consumerid",
                                                              "subscriber",
                                                              "subscriberid",
                                                              "household",
                                                              "householdid",
                                                              "householdkey",
                                                              "listener",
                                                              "listenerid",
                                                              "reader",
                                                              "readerid",
                                                              "viewer",
                                                              "viewerid",
                                                              "player",
                                                              "playerid",
                                                              "steamid",
                                                              "msno",
                                                              "patron",
                                                              "patronid",
                                                              "student",
                                                              "studentid",
                                                              "learner",
                                                              "learnerid",
                                                              "patient",
                                                              "patientid",
                                                              "employee",
                                                              "employeeid",
                                                              "panelist",
                                                              "panelistid",
                                                              "loyaltyid",
                                                              "cardid",
                                                              "authorid",
                                                              "username",
                                                              "screenname",
                                                              "nickname",
                                                              "login",
                                                              "loginname",
                                                              "reviewprofilename",
                                                              "profilename",
                                                              "reviewername",
                                                              "handle",
                                                              "node",
                                                              "nodeid",
                                                              "deviceid",
                                                              "device",
                                                              "cookie",
                                                              "cookieid",
                                                              "anonid",
                                                              "anonymousid",
                                                              "session",
                                                              "sessionid",
                                                              "sessid",
                                                              "userpseudoid",
                                                              "distinctid",
                                                              "pseudoid",
                                                              "domainuserid",
                                                              "networkuserid",
                                                              "customeruniqueid",
                                                              "useremail",
                                                              "customeremail",
                                                              "billingemail",
                                                              "email",
                                                              "emailaddress"});

constexpr std::array items = std::to_array<std::string_view>(
    {"item",       "itemid",      "iid",         "itemids",      "itemkey",     "itemsk",       "itemcode",
     "itemno",     "itemnumber",  "itemidx",     "itemindex",    "parentasin",  "asin",         "isbn",
     "isbn13",     "movie",       "movieid",     "film",         "filmid",      "tmdbid",       "imdbid",
     "product",    "productid",   "productcode", "productkey",   "productno",   "prod",         "prodid",
     "adgroupid",  "pid",         "sku",         "skuid",        "skuno",       "skucode",      "productsku",
     "itemsku",    "lineitemsku", "upc",         "ean",          "gtin",        "barcode",      "stockcode",
     "article",    "articleid",   "goods",       "goodsid",      "aid",         "track",        "trackid",
     "song",       "songid",      "musicid",     "recordingid",  "artist",      "artistid",     "album",
     "albumid",    "playlistid",  "podcastid",   "book",         "bookid",      "workid",       "game",
     "gameid",     "appid",       "app",         "business",     "businessid",  "bizid",        "poi",
     "poiid",      "venue",       "venueid",     "place",        "placeid",     "location",     "locationid",
     "locid",      "spotid",      "restaurant",  "restaurantid", "hotel",       "hotelid",      "listing",
     "listingid",  "propertyid",  "recipe",      "recipeid",     "foodid",      "news",         "newsid",
     "story",      "storyid",     "post",        "postid",       "tweetid",     "video",        "videoid",
     "photoid",    "show",        "showid",      "series",       "seriesid",    "programid",    "episodeid",
     "anime",      "animeid",     "manga",       "mangaid",      "course",      "courseid",     "lessonid",
     "problem",    "problemid",   "question",    "questionid",   "exerciseid",  "skillid",      "job",
     "jobid",      "paper",       "paperid",     "document",     "documentid",  "doc",          "docid",
     "content",    "contentid",   "object",      "objectid",     "resourceid",  "page",         "pageid",
     "url",        "link",        "beer",        "beerid",       "beerbeerid",  "wine",         "wineid",
     "joke",       "jokeid",      "offer",       "offerid",      "couponid",    "ad",           "adid",
     "creativeid", "campaignid",  "channelid",   "groupid",      "communityid", "repoid",       "repo",
     "merchant",   "merchantid",  "sellerid",    "storeid",      "brandid",     "productname",  "itemname",
     "moviename",  "movietitle",  "gamename",    "gametitle",    "booktitle",   "songname",     "songtitle",
     "trackname",  "artistname",  "appname",     "beername",     "title",       "lineitemname", "itemdescription",
     "pageurl",    "pageurlpath", "pagepath",    "pagelocation", "pagetitle"});

constexpr std::array weights = std::to_array<std::string_view>({"weight",
                                                                "rating",
                                                                "ratings",
                                                                "ratingvalue",
                                                                "ratingscore",
                                                                "userrating",
                                                                "starrating",
                                                                "bookrating",
                                                                "movierating",
                                                                "overall",
                                                                "overallrating",
                                                                "reviewoverall",
                                                                "score",
                                                                "reviewscore",
                                                                "userscore",
                                                                "stars",
                                                                "star",
                                                                "reviewstars",
                                                                "reviewrating",
                                                                "count",
                                                                "counts",
                                                                "cnt",
                                                                "playcount",
                                                                "plays",
                                                                "listencount",
                                                                "listeningcount",
                                                                "listens",
                                                                "scrobbles",
                                                                "numplays",
                                                                "totalplays",
                                                                "quantity",
                                                                "lineitemquantity",
                                                                "itemquantity",
                                                                "qty",
                                                                "frequency",
                                                                "freq",
                                                                "hours",
                                                                "hoursplayed",
                                                                "playhours",
                                                                "playtime",
                                                                "playtimeforever",
                                                                "strength",
                                                                "preference",
                                                                "pref",
                                                                "interactions",
                                                                "interactioncount",
                                                                "numinteractions",
                                                                "clicks",
                                                                "numclicks",
                                                                "views",
                                                                "numviews",
                                                                "viewcount",
                                                                "clickcount",
                                                                "purchases",
                                                                "numpurchases",
                                                                "purchasecount",
                                                                "checkins",
                                                                "numcheckins",
                                                                "visits",
                                                                "units",
                                                                "watchratio",
                                                                "confidence",
                                                                "value",
                                                                "vote"});

constexpr std::array times = std::to_array<std::string_view>({"timestamp",
                                                              "time",
                                                              "unixtime",
                                                              "unixtimestamp",
                                                              "unixreviewtime",
                                                              "timestamps",
                                                              "ts",
                                                              "epoch",
                                                              "epochtime",
                                                              "timestampsec",
                                                              "timesec",
                                                              "eventtime",
                                                              "eventtimestamp",
                                                              "timestampms",
                                                              "timems",
                                                              "datetime",
                                                              "date",
                                                              "reviewtime",
                                                              "reviewtimestamp",
                                                              "reviewdate",
                                                              "ratingtime",
                                                              "ratingtimestamp",
                                                              "ratingdate",
                                                              "ratedat",
                                                              "createdat",
                                                              "created",
                                                              "createtime",
                                                              "creationtime",
                                                              "createddate",
                                                              "createdate",
                                                              "createdutc",
                                                              "blocktime",
                                                              "blocktimestamp",
                                                              "clicktime",
                                                              "clickedat",
                                                              "viewtime",
                                                              "viewedat",
                                                              "playedat",
                                                              "playtimestamp",
                                                              "listenedat",
                                                              "watchedat",
                                                              "purchasetime",
                                                              "purchasedate",
                                                              "purchasedat",
                                                              "orderdate",
                                                              "ordertime",
                                                              "orderedat",
                                                              "invoicedate",
                                                              "transactiondate",
                                                              "transactiontime",
                                                              "tdat",
                                                              "checkintime",
                                                              "checkindate",
                                                              "visittime",
                                                              "visitdate",
                                                              "dateadded",
                                                              "dateupdated",
                                                              "updatedat",
                                                              "readat",
                                                              "submitted",
                                                              "submittedat",
                                                              "posttime",
                                                              "postedat",
                                                              "eventdate",
                                                              "originaltimestamp",
                                                              "receivedat",
                                                              "sentat",
                                                              "actiontime",
                                                              "logtime",
                                                              "servertime",
                                                              "requesttime",
                                                              "utctime",
                                                              "utctimestamp",
                                                              "localtime",
                                                              "when",
                                                              "dt",
                                                              "paidat",
                                                              "collectortstamp",
                                                              "derivedtstamp",
                                                              "tstamp",
                                                              "endtime",
                                                              "orderpurchasetimestamp",
                                                              "timestampmicros",
                                                              "day"});

constexpr std::array events = std::to_array<std::string_view>(
    {"event", "eventtype", "eventname", "behavior", "behaviour", "behaviortype", "behaviourtype", "action",
     "actiontype", "actionname", "interactiontype", "interaction", "activitytype", "activity", "type"});

constexpr std::array sources = std::to_array<std::string_view>(
    {"source",     "sourceid",  "src",     "srcid",   "from",  "fromid",   "fromuser",   "fromuserid", "fromnode",
     "fromnodeid", "user1",     "user1id", "userid1", "usera", "useraid",  "person1",    "person1id",  "personid1",
     "node1",      "nodeid1",   "node1id", "id1",     "n1",    "follower", "followerid", "truster",    "trusterid",
     "trustor",    "trustorid", "ego",     "inviter", "u",     "user",     "userid",     "uid"});

constexpr std::array targets = std::to_array<std::string_view>(
    {"target",    "targetid", "dst",       "dstid",        "dest",     "destination", "to",        "toid",
     "touser",    "touserid", "tonode",    "tonodeid",     "user2",    "user2id",     "userid2",   "userb",
     "userbid",   "person2",  "person2id", "personid2",    "node2",    "nodeid2",     "node2id",   "id2",
     "n2",        "friend",   "friendid",  "frienduserid", "followee", "followeeid",  "followed",  "followedid",
     "following", "trustee",  "trusteeid", "trusted",      "alter",    "neighbor",    "neighbour", "contact",
     "contactid", "invitee",  "v"});

constexpr std::array labels =
    std::to_array<std::string_view>({"label", "segment", "class", "community", "group", "cluster", "category", "truth",
                                     "classid", "labelid", "segmentid", "communityid", "groupid", "clusterid"});

constexpr std::array record_numbers =
    std::to_array<std::string_view>({"",          "index",         "idx",           "row",
                                     "rowid",     "rownumber",     "rownum",        "rowno",
                                     "line",      "lineno",        "lineid",        "record",
                                     "recordid",  "unnamed:0",     "unnamed",       "no",
                                     "nr",        "num",           "reviewid",      "ratingid",
                                     "orderid",   "orderno",       "ordernumber",   "invoice",
                                     "invoiceno", "invoiceid",     "receiptid",     "basketid",
                                     "cartid",    "transaction",   "transactionid", "transid",
                                     "eventid",   "interactionid", "logid",         "purchaseid",
                                     "visitid",   "checkinid",     "clickid",       "impressionid",
                                     "playid",    "voteid",        "likeid",        "commentid",
                                     "messageid", "requestid",     "behaviorid"});

// Names without "id" in them that are hardly ever ids themselves.
constexpr std::array sure = std::to_array<std::string_view>(
    {"user",     "username", "customer", "visitor", "member", "client",     "account", "reviewer",  "msno",   "node",
     "item",     "movie",    "product",  "isbn",    "asin",   "parentasin", "sku",     "stockcode", "source", "target",
     "follower", "followee", "truster",  "trustee", "user1",  "user2",      "label",   "segment"});

}  // namespace

std::span<const std::string_view> known_names(Meaning meaning) {
  switch (meaning) {
    case Meaning::user:
      return users;
    case Meaning::item:
      return items;
    case Meaning::weight:
      return weights;
    case Meaning::time:
      return times;
    case Meaning::event:
      return events;
    case Meaning::source:
      return sources;
    case Meaning::target:
      return targets;
    case Meaning::label:
      return labels;
  }
  return {};
}

bool means(std::string_view field, Meaning meaning) {
  return std::ranges::find(known_names(meaning), plain_name(field)) != known_names(meaning).end();
}

bool surely_means(std::string_view field, Meaning meaning) {
  const auto name = plain_name(field);
  return means(field, meaning) && (name.ends_with("id") || name.ends_with("ids") || name.ends_with("key") ||
                                   std::ranges::find(sure, name) != sure.end());
}

std::ptrdiff_t known_names_in(const std::vector<std::string>& fields) {
  return std::ranges::count_if(fields, [](const std::string& field) {
    return means(field, Meaning::user) || means(field, Meaning::item) || means(field, Meaning::weight) ||
           means(field, Meaning::time) || means(field, Meaning::source) || means(field, Meaning::target);
  });
}

bool numbers_records(std::string_view field) {
  return std::ranges::find(record_numbers, plain_name(field)) != record_numbers.end();
}

}  // namespace cohort
