//! The fragments and what they are worth. Lower case; matched against folded text.
//!
//! Five points are an attack on their own. Fewer are a hint that needs company: words that also
//! occur in prose, products that also have honest users.

use super::Location;
use super::confirm::{self, Confirm};

/// A class of attack; its points count once per request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Leaving the directory that a path is meant to stay in.
    PathTraversal,
    /// Reading a well-known file of the system.
    SystemFile,
    /// Changing a database statement.
    SqlInjection,
    /// Changing a query to a document store or a directory.
    NosqlInjection,
    /// Running a shell command.
    CommandInjection,
    /// Putting script into a page.
    CrossSiteScripting,
    /// Running an expression of a template engine, of OGNL or of a JNDI look-up.
    ExpressionInjection,
    /// Making the server ask an address that the outside cannot reach.
    ServerSideRequest,
    /// Declaring entities in XML.
    XmlEntity,
    /// Smuggling a header or a second response through a line break.
    ResponseSplitting,
    /// Changing a language's object model or loading an object.
    ObjectInjection,
    /// Asking for files that hold secrets.
    SecretsProbe,
    /// Asking for products that are known for their holes.
    ProductProbe,
    /// A client that is a scanner.
    Scanner,
    /// A header that should not come from outside, or too much of it.
    HeaderAbuse,
    /// A method that is not for this server.
    MethodAbuse,
    /// Hiding behind several layers of encoding.
    Encoding,
    /// Larger than a client has a reason for.
    Oversized,
}

impl Rule {
    /// The stable name in the `rule` field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PathTraversal => "path_traversal",
            Self::SystemFile => "system_file",
            Self::SqlInjection => "sql_injection",
            Self::NosqlInjection => "nosql_injection",
            Self::CommandInjection => "command_injection",
            Self::CrossSiteScripting => "cross_site_scripting",
            Self::ExpressionInjection => "expression_injection",
            Self::ServerSideRequest => "server_side_request",
            Self::XmlEntity => "xml_entity",
            Self::ResponseSplitting => "response_splitting",
            Self::ObjectInjection => "object_injection",
            Self::SecretsProbe => "secrets_probe",
            Self::ProductProbe => "product_probe",
            Self::Scanner => "scanner",
            Self::HeaderAbuse => "header_abuse",
            Self::MethodAbuse => "method_abuse",
            Self::Encoding => "encoding",
            Self::Oversized => "oversized",
        }
    }
}

/// Where a fragment means something.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Path, query and headers.
    Any,
    /// Path only.
    Path,
    /// Path and query.
    Uri,
    /// Query and headers.
    Input,
    /// What a client calls itself.
    Agent,
}

impl Place {
    pub(super) const fn allows(self, location: Location) -> bool {
        match self {
            Self::Any => true,
            Self::Path => matches!(location, Location::Path),
            Self::Uri => matches!(location, Location::Path | Location::Query),
            Self::Input => matches!(
                location,
                Location::Query | Location::Header | Location::UserAgent
            ),
            Self::Agent => matches!(location, Location::UserAgent),
        }
    }
}

/// A piece of text, what it is a sign of, and how strong a sign.
pub(super) struct Fragment {
    pub(super) text: &'static [u8],
    pub(super) rule: Rule,
    pub(super) points: u16,
    pub(super) place: Place,
    pub(super) confirm: Confirm,
}

macro_rules! fragments {
    ($($rule:ident $place:ident $points:literal $confirm:ident: $($text:literal)*;)*) => {
        &[$($(Fragment {
            text: $text,
            rule: Rule::$rule,
            points: $points,
            place: Place::$place,
            confirm: confirm::$confirm,
        },)*)*]
    };
}

#[rustfmt::skip]
pub(super) static FRAGMENTS: &[Fragment] = fragments! {
    PathTraversal Any 5 dots: b"../" b"..\\";
    PathTraversal Any 5 always: b"..;/" b"\xc0\xae" b"\xe0\x80\xae" b"\xc0\xaf" b"..\xc0\xaf" b"..0x2f" b"..%2f" b"..%5c" b"0x2e0x2e";
    PathTraversal Any 5 always: b"..2f..2f" b"..5c..5c" b"0x2e0x2e0x2f" b"..0x5c" b"li4vli4v";
    PathTraversal Any 5 always: b"..\xc0" b"..\xc1" b"..%" b"/./\\/" b".\\/\\." b"\\.\\./" b"\\.\\.\\" b"/.\\.";
    Encoding Any 5 always: b"phnjcmlwd" b"xzy3jpch" b"8c2nyaxb0" b"pd9waha" b"l2v0yy9" b"zxrjl3bhc3n3z" b"zxrjl3noywrvd" b"li4vzxrjl" b"ywxlcnqo" b"+adw-" b"+ad4-" b"+aci-" b"+acc-";
    Encoding Input 5 hex_text: b"0x";
    PathTraversal Any 5 always: b".?/.?/" b"?./?./" b"??/??/" b".../.../" b"...\\...\\" b".?\\.?\\" b"?.\\?.\\" b".//.//" b".\\/.\\/" b"..%/..%/" b"%\\..%\\";
    PathTraversal Uri 3 always: b"\0";
    SystemFile Any 5 always: b"convert.iconv." b"convert.base64-" b"inetpub/wwwroot" b"inetpub\\wwwroot" b":/inetpub" b":\\inetpub" b":/windows/" b":\\windows\\" b":/winnt/" b":\\winnt\\";
    SystemFile Input 5 segment_end: b"/php.ini" b"\\php.ini" b"/httpd.conf" b"/.htaccess" b"/.htpasswd" b"/.bashrc" b"/.netrc" b"/.cshrc" b"/.forward" b"/.rhosts" b"/.shosts" b"/.logout" b"/.passwd" b"/master.passwd" b"logs/access_log" b"logs/access.log" b"logs/error_log" b"logs/error.log" b"\\logs\\access.log" b"\\logs\\error.log" b"apache/logs/" b"apache2/logs/" b"httpd/logs/";
    SystemFile Any 5 behind_etc: b"passwd" b"shadow" b"issue" b"hosts";
    SystemFile Input 5 whole_value: b".htaccess" b".htpasswd" b".passwd" b"config.inc.php";
    SystemFile Any 5 segment_end: b"etc/passwd" b"etc\\passwd" b"etc/shadow" b"etc/issue" b"etc\\issue" b"/etc/group" b"/etc/hosts" b"/etc/fstab" b"/etc/crontab" b"/etc/ssh/"
        b"/proc/self" b"/proc/version" b"/proc/cpuinfo" b"/proc/1/" b"win.ini" b"boot.ini" b"system32" b"/var/log/" b"/etc/apache2" b"/etc/nginx" b"/etc/mysql"
        b"/usr/local/apache" b"/windows/system" b"\\windows\\" b"/.bash_history" b"/root/." b"web-inf" b"meta-inf";
    SystemFile Input 5 value_start: b"c:\\windows" b"c:/windows" b"c:\\inetpub" b"c:\\boot" b"c:\\program" b"file://" b"file:/" b"php://" b"phar://" b"zip://" b"expect://" b"data://" b"glob://" b"ogg://" b"rar://" b"compress.zlib://" b"jar:http" b"netdoc:" b"c:\\apache" b"/program files" b"/usr/etc/" b"/usr/bin/" b"/usr/sbin/" b"/usr/spool/" b"/usr/ports/" b"/usr/pkgsrc/" b"/opt/xampp" b"/usr/local/" b"/usr/lib/" b"/usr/share/" b"/var/adm/" b"/var/lib/" b"/var/apache" b"/var/mail/" b"/var/spool/" b"/var/run/" b"/opt/lampp" b"/winnt" b"c:/boot" b"c:/winnt" b"c:\\winnt" b"/.bash_" b"/.sh_history" b"/.mysql_history" b"/.ssh/" b"/etc/" b"/proc/" b"/var/www/" b"/root/" b"/boot/";

    SqlInjection Any 5 selects: b"union select" b"union all select" b"union distinct select" b"union(select" b"union all(select" b"union (select" b"union\nselect" b"union\r\nselect" b"union\n select";
    SqlInjection Any 5 select_from: b"select ";
    SqlInjection Any 5 select_from: b"select(";
    SqlInjection Any 5 quoted_logic: b"or " b"and " b"xor " b"having " b"or(" b"and(" b"|| " b"||" b"&&" b"like " b"order by " b"group by " b"rlike " b"where ";
    SqlInjection Any 5 always: b"exec sp_" b"exec xp_" b"exec(@" b"exec (@" b"execute(@" b"declare @" b"or1=1" b"exec master" b"'(select " b"' (select " b"\"(select " b"\" (select " b"--sp_password"
        b"(version()" b"(user()" b"(database()" b"(@@" b"(select substr" b"(select ascii" b"(select ord" b"(select count(" b"(select mid(" b"(select char" b"(select concat" b"(select hex" b"div(select" b"and(select" b"or(select" b"if(select" b"(select(" b"select version(" b"select current_" b"select session_user" b"select pg_";
    SqlInjection Any 5 quote_operator: b"'" b"\"";
    SqlInjection Any 5 segment_end: b"exec sp" b"exec xp";
    SqlInjection Any 5 tautology: b"or " b"and " b"||" b"&&" b"or(" b"and(";
    SqlInjection Any 5 dangling: b"' or '" b"\" or \"" b"' and '" b"' or \"";
    SqlInjection Any 5 delay: b"sleep ";
    SqlInjection Any 5 numeric_logic: b"or " b"and " b"xor " b"having " b"||" b"&&" b"or(" b"and(";
    SqlInjection Any 5 stacked: b"drop table" b"drop database" b"drop view" b"truncate table" b"insert into" b"delete from" b"update " b"exec " b"exec(" b"execute " b"declare @"
        b"create table" b"create user" b"alter table" b"waitfor " b"select " b"call " b"grant " b"revoke " b"desc " b"shutdown" b"copy (" b"begin " b"if(" b"if (";
    SqlInjection Any 5 call: b"sleep(" b"benchmark(" b"pg_sleep(" b"load_file(" b"extractvalue(" b"updatexml(" b"dbms_pipe.receive_message(" b"dbms_lock.sleep(" b"utl_http.request("
        b"utl_inaddr.get_host" b"xp_cmdshell" b"xp_dirtree" b"xp_regread" b"sp_executesql" b"sp_password" b"sys.fn_" b"randomblob(" b"sqlite_version(" b"db_name(" b"group_concat(" b"concat_ws(" b"gtid_subset(" b"json_keys(("
        b"make_set(" b"name_const(" b"generate_series(" b"convert(int" b"cast((" b"ascii(substr" b"ascii(mid(" b"ord(mid(" b"substring((select" b"char(0x" b"concat(0x" b"hex(user" b"floor(rand(" b"elt(" b"ctxsys.drithsx" b"procedure analyse(";
    SqlInjection Any 5 always: b"(case when" b"waitfor delay" b"information_schema" b"into outfile" b"into dumpfile" b"from dual" b"sysobjects" b"sys.tables" b"pg_catalog" b"sqlite_master" b"all_tables" b"mysql.user" b"@@version" b"@@datadir" b"@@hostname" b"dba_users"
        b"' or 1" b"'='" b"'like'" b"or 1=1" b"or '1'='1" b"or 'x'='x" b"' group by" b"' order by" b"'||'" b"'+'" b"' having 1" b"regexp 0x" b"';--" b"'; --" b"'or'" b"'and'" b"admin'#" b"'#" b"'/*" b"'||(" b"1=1--" b"1=2--" b"1=0 " b"is null--" b"@@";
    SqlInjection Any 5 unites: b"' union" b"\" union" b") union";
    SqlInjection Input 5 whole_value: b"'-'" b"'^'" b"'*'" b"'&'" b"' '" b"\"-\"" b"\"^\"" b"\"*\"" b"\"&\"" b"\" \"";
    SqlInjection Input 5 first_logic: b"or " b"and " b"having " b"||" b"&&";
    SqlInjection Input 5 column: b"order by " b"group by ";
    SqlInjection Any 5 comment_after_quote: b"--" b"#" b";%00" b"/*";
    SqlInjection Input 5 numeric_logic: b"rlike " b"regexp " b"like " b"between " b"div ";
    SqlInjection Input 3 word_start: b"order by " b"group by ";

    NosqlInjection Any 5 always: b"{ $ne" b"{ $gt" b"$or: [" b"$comment:" b"return(true)" b";return true" b"db.injection" b"[$ne]" b"[$gt]" b"[$lt]" b"[$gte]" b"[$lte]" b"[$regex]" b"[$where]" b"[$in]" b"[$nin]" b"[$exists]" b"[$or]" b"[$eq]" b"[$not]" b"{\"$ne\"" b"{\"$gt\"" b"{\"$regex\"" b"{\"$where\"" b"\"$or\"" b"{$ne" b"{$gt" b"{$where" b"$where:" b"\"$in\":" b"{'$gt'" b"{'$ne'" b"{\"$lt\"" b"{\"$exists\"" b"{\"$nin\""
        b"*(|(" b"(|(uid" b"(|(cn" b"(|(mail" b"(|(objectclass" b"*)(uid=" b")(|(" b"*)(&" b"*)(|" b")(cn=" b"*)(objectclass" b"*))(|" b"*)(mail=" b")(!(" b"(&(" b"admin)(&)" b"this.password" b"; return true" b"';return " b";do{" b"\"&exists\"" b"||this." b"&&this." b"' or count(" b"or position()" b"or name()=" b"//user[" b"or contains(" b"'] | //" b"/child::node(" b"count(/";

    CommandInjection Any 5 command: b"id" b"ls" b"cat" b"whoami" b"uname" b"pwd" b"ping" b"nc" b"ncat" b"netcat" b"wget" b"curl" b"bash" b"sh" b"zsh" b"dir" b"type" b"echo" b"sleep" b"net" b"netstat" b"ifconfig" b"ipconfig" b"ps" b"nslookup" b"dig" b"rm" b"python" b"python3" b"perl" b"php" b"ruby" b"powershell" b"cmd" b"env" b"printenv" b"touch" b"chmod" b"tftp" b"ftp" b"telnet" b"which" b"hostname" b"systeminfo" b"sysinfo" b"netsh" b"tasklist" b"w" b"head" b"tail" b"more" b"less" b"find" b"grep" b"cp" b"mv" b"mkdir" b"kill" b"reboot" b"shutdown" b"busybox" b"socat" b"base64" b"xterm" b"tac" b"nl" b"sed" b"awk" b"set" b"ver" b"ip" b"host" b"traceroute" b"arp" b"route" b"exec" b"eval" b"system" b"passthru" b"node" b"lua" b"gcc" b"timeout" b"export" b"su" b"sudo" b"crontab" b"mail" b"sendmail";
    CommandInjection Any 5 always: b"/bin/sh" b"/bin/bash" b"/bin/cat" b"/bin/id" b"/bin/ls" b"/usr/bin/id" b"/bin/nc" b"/bin/ping" b"/bin/uname" b"/dev/tcp/" b"/dev/null" b"cmd.exe" b"cmd /c" b"cmd.exe /c" b"powershell -" b"powershell.exe" b"${ifs}" b"$ifs" b"() { :" b"(){ :" b"`id`" b"`ls" b"`cat" b"`whoami" b"`ping" b"`wget" b"`curl" b"`sleep" b"`uname" b"$(id)" b"$(cat" b"$(ls" b"$(whoami" b"$(sleep" b"$(ping" b"$(curl" b"$(wget" b"$(nslookup" b"$(uname" b"$((" b"$(echo" b"$(printf" b"$(expr" b"$(/" b"; cat " b"|cat " b"| cat " b";cat " b"cat$" b"c'a't" b"c\"a\"t" b"w'h'o" b"/b'i'n" b"/???/" b"/???/??t" b"reg add \"hk" b"nc -e" b"nc -l" b"chmod 777" b"chmod +x" b"rm -rf" b"bash -i" b"bash -c" b"sh -c" b"python -c" b"perl -e" b"php -r" b"ruby -e" b"net user" b"certutil" b"bitsadmin" b"os.system" b"subprocess." b"popen(" b"shell_exec(" b"proc_open(" b"passthru(" b"phpinfo(" b"system(" b"assert(" b"eval(" b"base64_decode(" b"file_get_contents(" b"call_user_func" b"invokefunction" b"<?php" b"<?=" b"<%eval" b"<%@" b"fopen(" b"include(" b"require(" b"require('child_process')" b"child_process" b"process.env" b"runtime.getruntime" b"getruntime()" b"processbuilder" b"allow_url_include" b"auto_prepend_file" b"cgi-bin/php";
    CommandInjection Any 5 word_start: b"dir c:" b"dir d:" b"type c:" b"del c:";
    CommandInjection Any 5 always: b"<? " b"exec('" b"exec(\"" b"exec(`";
    CommandInjection Any 5 at_start: b"() {";
    CommandInjection Any 5 downloader: b"wget " b"curl " b"tftp " b"lwp-download ";

    CrossSiteScripting Any 5 tag: b"<script" b"</script" b"<img" b"<svg" b"<iframe" b"<body" b"<object" b"<embed" b"<applet" b"<meta" b"<link" b"<style" b"<form" b"<input" b"<video" b"<audio" b"<details" b"<marquee" b"<math" b"<base" b"<isindex" b"<table" b"<div" b"<a" b"<select" b"<textarea" b"<button" b"<bgsound" b"<layer" b"<xss" b"<frameset" b"<frame" b"<template" b"<keygen" b"<source" b"<animate" b"<set" b"<image" b"<html" b"<title" b"<noscript" b"<xml" b"<plaintext" b"<custom";
    CrossSiteScripting Any 5 plain_tag: b"<p" b"<h1" b"<b" b"<i" b"<u" b"<em" b"<strong" b"<center" b"<font" b"<br" b"<var";
    CrossSiteScripting Any 5 escaped_letter: b"\\u00";
    CrossSiteScripting Any 5 handler: b"onerror" b"onload" b"onclick" b"onmouse" b"onfocus" b"onblur" b"onkey" b"onchange" b"onsubmit" b"ontoggle" b"onpointer" b"onanimation" b"ontransition" b"onbegin" b"onstart" b"onend" b"onresize" b"onscroll" b"onwheel" b"oncopy" b"oncut" b"onpaste" b"ondrag" b"oninput" b"onselect" b"onhashchange" b"onpageshow" b"onpopstate" b"onunload" b"onbeforeunload" b"onmessage" b"onplay" b"oncanplay" b"ondblclick" b"oncontextmenu" b"oninvalid" b"onreset" b"onsearch" b"onauxclick" b"onfinish" b"onbounce" b"onloadstart" b"onreadystatechange" b"onafterprint" b"onbeforeprint" b"onstorage" b"ontouch";
    CrossSiteScripting Any 5 attribute: b" on" b"/on" b"\non" b"\ron" b"'on" b"\"on";
    CrossSiteScripting Any 5 script_call: b"alert(" b"alert`" b"confirm(" b"confirm`" b"prompt(" b"prompt`" b"atob(" b"settimeout(" b"setinterval(" b"function(" b"print()" b"fetch(" b"import(" b"console.log(" b"msgbox(";
    CrossSiteScripting Any 5 whole_call: b"alert(" b"alert`" b"confirm(" b"confirm`" b"prompt(" b"prompt`";
    CrossSiteScripting Any 5 always: b"(alert)(" b"(confirm)(" b"(prompt)(" b"=alert," b"=confirm," b"=prompt," b".find(alert" b".map(alert" b"(location." b"eval(name" b"eval(location" b"=location.href=" b"=location='";
    CrossSiteScripting Any 5 script_address: b"javascript:" b"vbscript:" b"livescript:";
    CrossSiteScripting Any 5 always: b"data:text/html" b"document.cookie" b"document.domain" b"document.location" b"document.write" b"window.location" b"document.body" b"document.get" b"document[" b"window[" b"string.fromcharcode" b"innerhtml" b"srcdoc=" b"xlink:href" b"expression(" b"-moz-binding" b"&#x6a" b"&#106" b"&#x3c" b"&#60" b"\\u003c" b"\\x3c" b"%u003c" b"<!--" b"<![cdata[" b"]]>" b"java\tscript" b"jav&#x" b"&tab;" b"&newline;" b"formaction=" b"mocha:" b"localstorage." b"self[" b"top[" b"'-alert" b"\"-alert" b"onerror=" b"{{constructor" b"behavior:url" b"behavior: url" b"<?import" b"datasrc=" b"expression\\28" b"ev:handler" b"background:url(" b"\"autofocus" b"xss\"" b"top['" b"parent['" b"\"><" b"'><" b"\xbcscript" b"<\0script";

    ExpressionInjection Any 5 template: b"{{" b"${" b"#{" b"<%=" b"*{" b"@{" b"[[${" b"{%" b"{php" b"{$";
    ExpressionInjection Any 5 always: b"${jndi" b"${${" b"jndi:" b"${env:" b"${sys:" b"${java:" b"${lower:" b"${upper:" b"${::-" b"__class__" b"__mro__" b"__subclasses__" b"__globals__" b"__builtins__" b"__import__" b"%{(#" b"%{#" b"#_memberaccess" b"@java.lang" b"java.lang." b"ognl." b"#context" b"#application" b"classloader" b"class.module" b"t(java" b"freemarker.template" b"getclass()" b"\"\".getclass" b"redirect:${" b"action:${" b"redirectaction:" b"{{config" b"{{self" b"{{request" b"{$smarty" b"{{7*" b"${7*" b"#set($" b"_self.env" b"<#assign" b"constructor.constructor" b"script:groovy" b"spel:" b"#{7*" b"<%= " b"{{ ''" b"registerundefinedfiltercallback" b"lipsum." b"cycler." b"springframework.";

    ServerSideRequest Input 5 always: b"169.254.169.254" b"metadata.google.internal" b"metadata.azure" b"100.100.100.200" b"gopher://" b"dict://" b"ldap://" b"ldaps://" b"rmi://" b"tftp://" b"sftp://" b"jar://" b"0x7f000001" b"0x7f.1" b"2130706433" b"://0177." b"://[::1]" b"://[::" b"://[::ffff:" b"://0/" b"://0:" b"http://0.0.0.0" b"169.254." b"kubernetes.default" b"/latest/meta-data" b"burpcollaborator" b"oastify.com" b"interact.sh" b"dnslog." b".oast." b"rfi.nessus" b".nip.io" b"localtest.me" b"://127.1" b"://0x7f" b"lvh.me" b"netloc:" b"@127.0.0.1" b"#@" b"file_get_contents" b"://instance-data";
    ServerSideRequest Input 5 value_start: b"http://127." b"https://127." b"http://localhost" b"https://localhost" b"http://192.168." b"http://10." b"http://172.16." b"http://internal" b"http://admin" b"//localhost:" b"http://metadata";
    ServerSideRequest Input 3 value_start: b"ftp://" b"//evil" b"http://evil" b"https://evil" b"///" b"\\\\";

    XmlEntity Any 5 always: b"<!doctype" b"<!entity" b"system \"" b"<?xml" b"xinclude" b"<xsl:" b"xmlns:xi" b"%xxe;" b"&xxe;" b"<xi:include" b"<soap";
    ResponseSplitting Uri 5 splitting: b"\r\n" b"\n" b"\r" b"\xe5\x98\x8a\xe5\x98\x8d" b"\xc4\x8d\xc4\x8a";
    ResponseSplitting Path 4 always: b"\r" b"\n";
    ResponseSplitting Uri 5 always: b"\r\n\r\n" b"\xe5\x98\x8a\xe5\x98\x8d" b"\n\n<";

    ObjectInjection Any 5 always: b"__proto__" b"constructor[prototype]" b"constructor.prototype" b"prototype.constructor" b"ro0ab" b"aced0005" b"o:8:\"" b"a:1:{" b"a:2:{" b"o:4:\"" b"objectinputstream" b"ysoserial" b"!!python/" b"!!javax" b"tag:yaml.org" b"system.windows.data" b"$type\":" b"_$$nd_func$$_" b"objectdataprovider" b"weblogic." b"com.sun.rowset" b"@type\":\"" b"autotype" b"globals[" b"_session[" b"_server[" b"_request[" ;

    SecretsProbe Path 5 segment_end: b"/.env" b"/.git" b"/.svn" b"/.hg" b"/.bzr" b"/cvs/entries" b"/.aws" b"/.ssh" b"/.htpasswd" b"/.htaccess" b"/.npmrc" b"/.netrc" b"/.pgpass" b"/.my.cnf" b"/.bashrc" b"/.bash_profile" b"/.profile" b"/.zsh_history" b"/.mysql_history" b"/.dockerenv" b"/.dockercfg" b"/.docker/config" b"/.kube" b"/.vscode" b"/.idea" b"/.ds_store" b"/.config" b"/.travis.yml" b"/.circleci" b"/.gitlab-ci.yml" b"/.gitignore" b"/.gitconfig" b"/.git-credentials" b"/.composer" b"/.remote-sync.json" b"/sftp-config.json" b"/.ftpconfig" b"/.env.local" b"/.env.production" b"/.passwd" b"/.pypirc" b"/.terraform" b"/terraform.tfstate" b"/id_rsa" b"/id_dsa" b"/id_ed25519" b"/id_ecdsa" b"/wp-config" b"/web.config" b"/docker-compose.yml" b"/docker-compose.yaml" b"/config.yml" b"/database.yml" b"/secrets.yml" b"/secrets.json" b"/credentials" b"/credentials.json" b"/application.properties" b"/application.yml" b"/appsettings.json" b"/parameters.yml" b"/localsettings.php" b"/configuration.php" b"/settings.php" b"/config.php" b"/config.inc.php" b"/config.inc" b"/db.php" b"/database.php" b"/local.xml" b"/privatekey" b"/private.key" b"/private.pem" b"/server.key" b"/server.pem" b"/ssl.key" b"/shadow" b"/passwd" b"/phpinfo" b"/info.php" b"/test.php" b"/server-status" b"/server-info" b"/heapdump" b"/actuator/env" b"/actuator/beans" b"/actuator/mappings" b"/actuator/heapdump" b"/actuator/gateway" b"/actuator/threaddump" b"/actuator/configprops" b"/actuator/trace" b"/actuator/loggers" b"/actuator/logfile" b"/jolokia" b"/debug/pprof" b"/debug/vars" b"/debug/default/view" b"/elmah.axd" b"/trace.axd" b"/wp-json/wp/v2/users" b"/composer.lock" b"/auth.json" b"/aws.yml" b"/.s3cfg" b"/.boto" b"/gcloud" b"/service-account.json" b"/firebase.json" b"/wallet.dat" b"/error_log" b"/debug.log" b"/laravel.log" b"/storage/logs" b"/.well-known/..";
    SecretsProbe Path 5 extension: b".sql" b".sql.gz" b".bak" b".swp" b".old" b".orig" b".mdb" b".sqlite" b".sqlite3" b".pem" b".pfx" b".p12" b".jks" b".keystore" b".kdbx" b".ovpn" b".tfstate" b".htpasswd" b"backup.zip" b"backup.tar.gz" b"backup.tgz" b"www.zip" b"site.tar.gz" b"dump.tar.gz" b"wwwroot.rar" b"backup.rar" b".env.bak" b"htdocs.zip" b"db.zip" b"web.zip" b"public_html.zip" b"website.zip" b"wwwroot.zip" b"www.tar.gz" b"sql.zip" b"html.zip" b"www.rar" b"1.zip" b"database.zip" b".mysql";

    SecretsProbe Path 5 backup_copy: b"~";

    ProductProbe Path 5 segment_end: b"/wp-admin" b"/wp-login" b"/wp-content/" b"/wp-includes/" b"/xmlrpc.php" b"/wp-cron" b"/wp-json/" b"/phpmyadmin" b"/pma/" b"/myadmin" b"/mysqladmin" b"/adminer" b"/phppgadmin" b"/dbadmin" b"/sqladmin" b"/cgi-bin" b"/vendor/phpunit" b"eval-stdin.php" b"/boaform" b"/hnap1" b"/gponform" b"/setup.cgi" b"/tmunblock.cgi" b"/goform/" b"/solr/" b"/manager/html" b"/manager/text" b"/host-manager" b"/jmx-console" b"/web-console/" b"/invoker/" b"/_ignition/" b"/owa/auth" b"/autodiscover/" b"/ecp/" b"/aspnet_client" b"/telescope/requests" b"/struts" b"/shell.php" b"/c99.php" b"/r57.php" b"/cmd.php" b"/webshell" b"/wso.php" b"/alfa.php" b"/alfacgiapi" b"/evox/" b"/sdk/" b"/mgmt/tm/" b"/tmui/" b"/dana-na/" b"/remote/fgt_lang" b"/remote/login" b"/vpn/../" b"/vpns/" b"/+cscoe+" b"/citrix/" b"/global-protect/" b"/ssl-vpn/" b"/functionrouter" b"/druid/" b"/nacos/" b"/hudson" b"/jenkins/" b"/geoserver/" b"/confluence/" b"/pages/createpage-entervariables" b"/secure/contactadministrators" b"/axis2" b"/wls-wsat" b"/_async/" b"/console/login" b"/console/images" b"/console/css" b"/seeyon/" b"/index.php?s=" b"/thinkphp" b"/typo3" b"/joomla" b"/drupal" b"/magento" b"/administrator/index.php" b"/user/register?element" b"/sites/default/files" b"/plugins/system" b"/components/com_" b"/hikvision" b"/onvif/" b"/system.ini" b"/stalker_portal" b"/currentsetting.htm" b"/portal/redlion" b"/c/version.js" b"/streaming/clients_live" b"/cpanel" b"/whm-server-status" b"/fckeditor" b"/ckeditor/filemanager" b"/kcfinder" b"/elfinder" b"/filemanager" b"/xampp" b"/webdav/" b"/.well-known/acme-challenge/../" b"/_cat/indices" b"/_search?" b"/_all_dbs" b"/_utils/" b"/v1/agent/self" b"/containers/json" b"/api/v1/pods" b"/api/jsonws" b"/lua/" b"/ztp/" b"/login.action" b"/login.cgi" b"/status.cgi" b"/admin.php" b"/admin/config.php" b"/muieblackcat" b"/bitrix/" b"/ws_utc/" b"/hello.world" b"/ab2g" b"/ab2h" b"/actuator/jolokia" b"/device.rsp" b"/picsdesc.xml" b"/wanipcn" b"/ctrlt/" b"/upnp" b"/ui/vropspluginui" b"/analytics/telemetry" b"/rest/tinymce" b"/clusters/" b"/zabbix/" b"/nagios" b"/cacti/" b"/owncloud" b"/roundcube" b"/squirrelmail" b"/horde/" b"/zimbra" b"/mifs/" b"/suite-api/" b"/carbon/" b"/api/experimental/" b"/apisix/" b"/goanywhere" b"/moveitisapi" b"/human.aspx" b"/templates/beez";
    ProductProbe Path 5 always: b"/nmaplowercheck" b"/w00tw00t";
    ProductProbe Path 2 extension: b".php" b".asp" b".aspx" b".jsp" b".cgi" b".cfm" b".do" b".action";
    ProductProbe Path 3 segment_end: b"/shell" b"/backdoor" b"/phpinfo.php" b"/install.php" b"/setup.php" b"/eval";

    Scanner Agent 5 always: b"sqlmap" b"nikto" b"nmap scripting" b"masscan" b"zgrab" b"nuclei" b"gobuster" b"dirbuster" b"wpscan" b"acunetix" b"nessus" b"openvas" b"w3af" b"arachni" b"havij" b"thc-hydra" b"(hydra" b"metasploit" b"burpsuite" b"burp suite" b"burp-" b"owasp zap" b"zaproxy" b"ffuf" b"feroxbuster" b"fuzz faster" b"whatweb" b"jaeles" b"netsparker" b"invicti" b"qualys" b"dirsearch" b"commix" b"xsstrike" b"l9explore" b"l9tcpid" b"censysinspect" b"expanse" b"shodan" b"internet-measurement" b"netcraft" b"joomscan" b"skipfish" b"webinspect" b"appscan" b"grabber" b"vega/" b"paros" b"dirb" b"wfuzz" b"nsauditor" b"morfeus" b"zmeu" b"jorgee" b"blackwidow" b"libwww-perl" b"detectify" b"probely" b"intruder.io" b"hexometer" b"odin.io" b"onlyscans" b"projectdiscovery" b"httpx -" b"wapiti" b"fimap" b"sqlninja" b"bbqsql" b"xenotix" b"subfinder" b"amass" b"nimplant" b"cobalt" b"mirai" b"hello, world" b"gh0st" b"tsunami" b"sysscan" b"n-stealth" b"cgichk" b"whisker" b"webshag" b"uniscan" b"golismero" b"vulnerability" b"security scan" b"pentest" b"exploit" b"leakix" b"nettacker" b"interactsh" b"crowbar" b"patator" b"brutus" b"medusa" b"cms-checker" b"scanner" b"cmsmap" b"droopescan" b"sitelockspider" b"researchscan" b"springshell" b"go-dork" b"kiterunner" b"rustbuster" b"arjun" b"dalfox" b"fuzzer" b"meterpreter" b"sqlsus" b"whatwaf" b"wafw00f" b"webbandit" b"websecurify" b"openbullet" b"pangolin" b"bsqlbf" b"prog.customcrawler" b"mysqloit" b"grendel-scan" b"autogetcontent" b"bilbo" b"absinthe" b"inspath" b"jbrofuzz" b"n-stealth";
};
