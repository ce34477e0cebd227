//! One table row per rule of the specifications.

use super::*;

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const SPAN: u64 = 0xb7ad_6b71_6920_3331;
const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn trace_of(headers: &[(&str, &str)]) -> Trace {
    extract(headers).trace
}

fn continued(flags: u8) -> Trace {
    Trace::Continued(RemoteContext {
        trace_id: TRACE,
        parent_span_id: Some(SPAN),
        flags: TraceFlags::from_bits(flags),
    })
}

#[test]
fn traceparent_by_the_letter() {
    let ok = |flags| continued(flags);
    let broken = Trace::Restarted(RestartReason::Malformed);
    let id = "0af7651916cd43dd8448eb211c80319c";
    let cases: &[(&str, String, Trace)] = &[
        ("as specified", GOOD.into(), ok(1)),
        ("white space around is HTTP's", format!(" \t{GOOD} "), ok(1)),
        (
            "random flag is carried",
            format!("00-{id}-b7ad6b7169203331-03"),
            ok(3),
        ),
        (
            "unknown flags are not carried",
            format!("00-{id}-b7ad6b7169203331-ff"),
            ok(3),
        ),
        ("not sampled", format!("00-{id}-b7ad6b7169203331-00"), ok(0)),
        (
            "a later version of the same length",
            format!("cc-{id}-b7ad6b7169203331-01"),
            ok(1),
        ),
        (
            "a later version with more",
            format!("cc-{id}-b7ad6b7169203331-01-what-the-future-will-be-like"),
            ok(1),
        ),
        (
            "a later version with trailing dash",
            format!("cc-{id}-b7ad6b7169203331-01-"),
            ok(1),
        ),
        (
            "a later version with junk",
            format!("cc-{id}-b7ad6b7169203331-01.what"),
            broken,
        ),
        ("version 00 with more", format!("{GOOD}-what"), broken),
        ("version 00 with a dot", format!("{GOOD}."), broken),
        (
            "version ff",
            format!("ff-{id}-b7ad6b7169203331-01"),
            Trace::Restarted(RestartReason::ForbiddenVersion),
        ),
        (
            "version of one digit",
            format!("0-{id}-b7ad6b7169203331-01"),
            broken,
        ),
        (
            "version of three digits",
            format!("000-{id}-b7ad6b7169203331-01"),
            broken,
        ),
        (
            "version not hexadecimal",
            format!(".0-{id}-b7ad6b7169203331-01"),
            broken,
        ),
        (
            "uppercase trace id",
            format!("00-{}-b7ad6b7169203331-01", id.to_uppercase()),
            broken,
        ),
        (
            "uppercase span id",
            format!("00-{id}-B7AD6B7169203331-01"),
            broken,
        ),
        (
            "zero trace id",
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            Trace::Restarted(RestartReason::ZeroId),
        ),
        (
            "zero span id",
            format!("00-{id}-0000000000000000-01"),
            Trace::Restarted(RestartReason::ZeroId),
        ),
        (
            "trace id too long",
            format!("00-{id}1-b7ad6b7169203331-01"),
            broken,
        ),
        (
            "trace id too short",
            format!("00-{}-b7ad6b7169203331-01", &id[1..]),
            broken,
        ),
        (
            "span id too long",
            format!("00-{id}-b7ad6b71692033311-01"),
            broken,
        ),
        (
            "span id too short",
            format!("00-{id}-b7ad6b716920333-01"),
            broken,
        ),
        (
            "flags too long",
            format!("00-{id}-b7ad6b7169203331-001"),
            broken,
        ),
        (
            "flags too short",
            format!("00-{id}-b7ad6b7169203331-1"),
            broken,
        ),
        (
            "flags not hexadecimal",
            format!("00-{id}-b7ad6b7169203331-.0"),
            broken,
        ),
        ("empty", String::new(), broken),
    ];
    for (rule, header, expected) in cases {
        assert_eq!(
            trace_of(&[("traceparent", header)]),
            *expected,
            "{rule}: {header}"
        );
    }
}

#[test]
fn two_traceparents_restart_the_trace() {
    assert_eq!(
        trace_of(&[("traceparent", GOOD), ("traceparent", GOOD)]),
        Trace::Restarted(RestartReason::Duplicate)
    );
}

#[test]
fn header_names_may_have_any_case_but_not_other_spellings() {
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        assert_eq!(trace_of(&[(name, GOOD)]), continued(1), "{name}");
    }
    for name in ["trace-parent", "trace.parent", "trace_parent"] {
        assert_eq!(trace_of(&[(name, GOOD)]), Trace::Absent, "{name}");
    }
}

#[test]
fn tracestate_by_the_letter() {
    let many = |n: usize| {
        (0..n)
            .map(|i| format!("k{i}=1"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let long_key = "z".repeat(256);
    let cases: &[(&str, Vec<String>, Option<String>)] = &[
        (
            "one header",
            vec!["foo=1,bar=2".into()],
            Some("foo=1,bar=2".into()),
        ),
        (
            "several headers keep their order",
            vec!["foo=1".into(), "bar=2,x=3".into()],
            Some("foo=1,bar=2,x=3".into()),
        ),
        (
            "white space around members",
            vec!["foo=1 \t , \t bar=2, \t baz=3".into()],
            Some("foo=1,bar=2,baz=3".into()),
        ),
        (
            "empty members",
            vec!["foo=1,,bar=2,".into()],
            Some("foo=1,bar=2".into()),
        ),
        ("empty header", vec![String::new()], None),
        (
            "inner spaces of a value",
            vec!["foo=a b".into()],
            Some("foo=a b".into()),
        ),
        ("32 members", vec![many(32)], Some(many(32))),
        ("33 members drop the header", vec![many(33)], None),
        (
            "33 members over two headers",
            vec![many(20), many(13)],
            None,
        ),
        (
            "a key may begin with a digit (level 2)",
            vec!["0a=1".into()],
            Some("0a=1".into()),
        ),
        (
            "tenant form",
            vec!["fw529a3039@dt=FfAAAA".into()],
            Some("fw529a3039@dt=FfAAAA".into()),
        ),
        (
            "key of 256",
            vec![format!("{long_key}=1")],
            Some(format!("{long_key}=1")),
        ),
        ("key of 257", vec![format!("{long_key}z=1")], None),
        ("uppercase key", vec!["FOO=1".into()], None),
        ("dot in key", vec!["foo.bar=1".into()], None),
        ("space in key", vec!["foo =1".into()], None),
        ("key begins with @", vec!["@foo=1,bar=2".into()], None),
        ("no value", vec!["foo=,bar=3".into()], None),
        ("no equals sign", vec!["foo,bar=3".into()], None),
        ("equals sign in value", vec!["foo=bar=baz".into()], None),
        (
            "value of 256",
            vec![format!("a={}", "v".repeat(256))],
            Some(format!("a={}", "v".repeat(256))),
        ),
        ("value of 257", vec![format!("a={}", "v".repeat(257))], None),
        ("control character", vec!["a=\u{7}".into()], None),
    ];
    for (rule, headers, expected) in cases {
        let mut carrier = vec![("traceparent", GOOD)];
        carrier.extend(headers.iter().map(|header| ("tracestate", header.as_str())));
        assert_eq!(
            extract(&carrier).tracestate.as_deref(),
            expected.as_deref(),
            "{rule}"
        );
    }
}

#[test]
fn tracestate_goes_with_its_trace_only() {
    assert_eq!(extract(&[("tracestate", "foo=1")][..]).tracestate, None);
    assert_eq!(
        extract(&[("traceparent", "00-x"), ("tracestate", "foo=1")][..]).tracestate,
        None
    );
    let b3 = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1";
    assert_eq!(
        extract(&[("b3", b3), ("tracestate", "foo=1")][..]).tracestate,
        None
    );
}

#[test]
fn long_tracestate_is_cut_by_whole_members() {
    let long = format!("big={}", "v".repeat(200));
    let small: Vec<String> = (0..20)
        .map(|i| format!("key{i:02}=0123456789012"))
        .collect();
    let state = format!("{},{long},{}", small[..10].join(","), small[10..].join(","));
    let fitted = tracestate::fit(&state);
    assert_eq!(fitted, small.join(","), "the long member goes first");
    let wide: Vec<String> = (0..32)
        .map(|i| format!("key{i:02}=0123456789012"))
        .collect();
    let fitted = tracestate::fit(&wide.join(",")).into_owned();
    assert!(
        fitted.len() <= tracestate::MAX_CARRIED && wide.join(",").starts_with(&fitted),
        "then from the right"
    );
}

#[test]
fn b3_by_the_grammar() {
    let ids = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1";
    let remote = |flags| {
        Trace::Continued(RemoteContext {
            trace_id: 0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7,
            parent_span_id: Some(0xe457_b5a2_e4d8_6bd1),
            flags,
        })
    };
    let broken = Trace::Restarted(RestartReason::Malformed);
    let cases: &[(&str, String, Trace)] = &[
        ("sampled", format!("{ids}-1"), remote(TraceFlags::SAMPLED)),
        (
            "debug is sampled",
            format!("{ids}-d"),
            remote(TraceFlags::SAMPLED),
        ),
        ("not sampled", format!("{ids}-0"), remote(TraceFlags::NONE)),
        ("deferred", ids.into(), remote(TraceFlags::NONE)),
        (
            "parent is read and forgotten",
            format!("{ids}-1-05e3ac9a4f6e3b90"),
            remote(TraceFlags::SAMPLED),
        ),
        ("decision alone", "0".into(), Trace::Absent),
        ("four parts", format!("{ids}-1-05e3ac9a4f6e3b90-x"), broken),
        ("short ids", "80f198ee-e457b5a2-1".into(), broken),
        ("unknown state", format!("{ids}-x"), broken),
    ];
    for (rule, header, expected) in cases {
        assert_eq!(trace_of(&[("b3", header)]), *expected, "{rule}");
    }
    let narrow = extract(&[("b3", "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1")][..]).trace;
    assert_eq!(
        narrow.remote().map(|remote| remote.trace_id),
        Some(0x64fe_8b2a_57d3_eff7),
        "64 bits are padded"
    );
    let multi = [
        ("X-B3-TraceId", "80f198ee56343ba864fe8b2a57d3eff7"),
        ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"),
        ("X-B3-SpanId", "e457b5a2e4d86bd1"),
        ("X-B3-Sampled", "true"),
    ];
    assert_eq!(trace_of(&multi), remote(TraceFlags::SAMPLED));
    let debug = [multi[0], multi[2], ("X-B3-Flags", "1")];
    assert_eq!(trace_of(&debug), remote(TraceFlags::SAMPLED));
    assert_eq!(
        trace_of(&multi[..1]),
        Trace::Restarted(RestartReason::Malformed),
        "a trace without a span"
    );
    let both = [
        ("b3", "1111111111111111-2222222222222222-0"),
        multi[0],
        multi[2],
    ];
    assert_eq!(
        trace_of(&both).remote().map(|remote| remote.trace_id),
        Some(0x1111_1111_1111_1111),
        "single wins"
    );
}

#[test]
fn datadog_ids_are_decimal_with_the_upper_half_in_a_tag() {
    let headers = [
        ("x-datadog-trace-id", "9532127138774266268"),
        ("x-datadog-parent-id", "13235353014750950193"),
        ("x-datadog-sampling-priority", "2"),
        ("x-datadog-tags", "_dd.p.dm=-0,_dd.p.tid=0af7651916cd43dd"),
    ];
    assert_eq!(trace_of(&headers), continued(1));
    let low = trace_of(&headers[..1]);
    assert_eq!(
        low.remote()
            .map(|remote| (remote.trace_id, remote.parent_span_id)),
        Some((0x8448_eb21_1c80_319c, None))
    );
    for priority in ["-1", "0"] {
        let dropped = [
            headers[0],
            headers[1],
            ("x-datadog-sampling-priority", priority),
            headers[3],
        ];
        assert_eq!(trace_of(&dropped), continued(0));
    }
    for (header, reason) in [
        ("abc", RestartReason::Malformed),
        ("", RestartReason::Malformed),
        ("0", RestartReason::ZeroId),
        ("18446744073709551616", RestartReason::Malformed),
        ("+1", RestartReason::Malformed),
    ] {
        assert_eq!(
            trace_of(&[("x-datadog-trace-id", header)]),
            Trace::Restarted(reason),
            "{header}"
        );
    }
}

#[test]
fn xray_ids_are_ours_with_hyphens() {
    let expected = |flags| continued(flags);
    let root = "Root=1-0af76519-16cd43dd8448eb211c80319c";
    for (header, trace) in [
        (
            format!("{root};Parent=b7ad6b7169203331;Sampled=1"),
            expected(1),
        ),
        (
            format!("{root};Parent=b7ad6b7169203331;Sampled=?"),
            expected(0),
        ),
        (
            format!(
                "Self=1-67891234-12456789abcdef012345678;{root};Parent=b7ad6b7169203331;Sampled=1;CalledFrom=app"
            ),
            expected(1),
        ),
        (
            format!("{root}; Parent=b7ad6b7169203331 ;Sampled=0"),
            expected(0),
        ),
        (
            "Root=2-0af76519-16cd43dd8448eb211c80319c".into(),
            Trace::Restarted(RestartReason::Malformed),
        ),
        (
            "Parent=b7ad6b7169203331".into(),
            Trace::Restarted(RestartReason::Malformed),
        ),
        (
            format!("{root};Parent=short"),
            Trace::Restarted(RestartReason::Malformed),
        ),
    ] {
        assert_eq!(trace_of(&[("X-Amzn-Trace-Id", &header)]), trace, "{header}");
    }
    let alone = trace_of(&[("x-amzn-trace-id", root)]);
    assert_eq!(
        alone.remote().map(|remote| remote.parent_span_id),
        Some(None),
        "a load balancer names no span"
    );
}

#[test]
fn the_first_format_wins_and_disagreement_is_reported() {
    let b3 = ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
    let headers = [b3, ("traceparent", GOOD)];
    let extraction = extract(&headers[..]);
    assert_eq!(extraction.format, Some(Format::W3c));
    assert_eq!(extraction.trace, continued(1));
    let conflict = Conflict {
        format: Format::B3,
        trace_id: 0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7,
    };
    assert_eq!(extraction.conflict, Some(conflict));
    let same = ("b3", "0af7651916cd43dd8448eb211c80319c-e457b5a2e4d86bd1-1");
    assert_eq!(
        extract(&[same, ("traceparent", GOOD)][..]).conflict,
        None,
        "the same trace is no conflict"
    );
    let datadog = ("x-datadog-trace-id", "5");
    assert_eq!(extract(&[datadog, b3][..]).format, Some(Format::B3));
    let headers = [("traceparent", "junk"), b3];
    let broken = extract(&headers[..]);
    assert_eq!(broken.trace, Trace::Restarted(RestartReason::Malformed));
    assert_eq!(broken.conflict, Some(conflict));
}

#[test]
fn request_ids_are_taken_only_when_harmless() {
    let longest = "a".repeat(128);
    let too_long = "a".repeat(129);
    for (header, expected) in [
        ("7f3a-42._+/=Z", RequestId::Valid("7f3a-42._+/=Z")),
        (&longest, RequestId::Valid(&longest)),
        (&too_long, RequestId::Rejected),
        ("", RequestId::Rejected),
        ("a b", RequestId::Rejected),
        ("a\nb", RequestId::Rejected),
        ("ä", RequestId::Rejected),
        ("<script>", RequestId::Rejected),
        ("a;b", RequestId::Rejected),
    ] {
        assert_eq!(
            extract(&[("X-Request-ID", header)][..]).request_id,
            expected,
            "{header:?}"
        );
    }
    let both = [("x-correlation-id", "c"), ("x-request-id", "r")];
    assert_eq!(extract(&both[..]).request_id, RequestId::Valid("r"));
    assert_eq!(extract(&both[..1]).request_id, RequestId::Valid("c"));
    assert_eq!(extract::<[(&str, &str)]>(&[]).request_id, RequestId::Absent);
}

#[test]
fn session_ids_come_from_their_header_or_else_from_baggage() {
    let session = |headers: &[(&str, &str)]| {
        let extraction = extract(headers);
        extraction.session_id.map(std::borrow::Cow::into_owned)
    };
    for (headers, expected) in [
        (&[("X-Session-ID", "s-1")][..], Some("s-1")),
        (&[("baggage", "a=b,session.id=s-2;p")][..], Some("s-2")),
        (
            &[("baggage", "session.id=s-2"), ("x-session-id", "s-1")][..],
            Some("s-1"),
        ),
        (&[("x-session-id", "s 1")][..], None),
        (&[("x-session-id", "")][..], None),
        (&[("baggage", "session.id=s%0A1")][..], None),
        (&[("x-session-ix", "s-1")][..], None),
        (&[][..], None),
    ] {
        assert_eq!(session(headers).as_deref(), expected, "{headers:?}");
    }
}

#[test]
fn baggage_by_the_letter() {
    let parse = |text: &'static str| Baggage::parse(&[text.as_bytes()]);
    let baggage = parse(
        "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
    );
    let pairs: Vec<_> = baggage
        .iter()
        .map(|(key, value)| (key.to_owned(), value.into_owned()))
        .collect();
    assert_eq!(
        pairs,
        [("key1", "value1"), ("key2", "value2"), ("key3", "value3")]
            .map(|(k, v)| (k.into(), v.into()))
    );
    assert_eq!(
        parse("k=a=b").get("k").as_deref(),
        Some("a=b"),
        "a value may contain ="
    );
    assert_eq!(parse("k=Am%C3%A9lie").get("k").as_deref(), Some("Amélie"));
    assert_eq!(
        parse("k=%FF").get("k").as_deref(),
        Some("\u{fffd}"),
        "invalid UTF-8 is replaced"
    );
    assert_eq!(
        parse("k=%zz%4").get("k").as_deref(),
        Some("%zz%4"),
        "a lone percent sign stays"
    );
    for broken in [
        "k", "=v", "k k=v", "k=a b", "k=\"v\"", "k=a\\b", "k=v;;", "kä=v",
    ] {
        assert_eq!(
            (parse(broken).len(), parse(broken).dropped()),
            (0, 1),
            "{broken}"
        );
    }
    let many = (0..70)
        .map(|i| format!("k{i}=v"))
        .collect::<Vec<_>>()
        .join(",");
    let limited = Baggage::parse(&[many.as_bytes()]);
    assert_eq!((limited.len(), limited.dropped()), (64, 6), "64 members");
    let wide = (0..3)
        .map(|i| format!("k{i}={}", "v".repeat(4000)))
        .collect::<Vec<_>>()
        .join(",");
    let limited = Baggage::parse(&[wide.as_bytes()]);
    assert_eq!(
        (limited.len(), limited.dropped()),
        (2, 1),
        "8192 bytes, whole members only"
    );
    let two = Baggage::parse(&[b"a=1", b"b=2"]);
    assert_eq!(two.as_str(), "a=1,b=2");
}

#[test]
fn baggage_values_are_encoded_on_the_way_out() {
    let mut baggage = Baggage::default();
    baggage.insert("note", "50% of \"Jürgen\", ok;");
    baggage.insert("not a token", "x");
    assert_eq!(
        baggage.as_str(),
        "note=50%25%20of%20%22J%C3%BCrgen%22%2C%20ok%3B"
    );
    assert_eq!((baggage.len(), baggage.dropped()), (1, 1));
    assert_eq!(
        baggage.get("note").as_deref(),
        Some("50% of \"Jürgen\", ok;")
    );
}

#[test]
fn what_is_injected_can_be_extracted_from_each_carrier() {
    let outgoing = Outgoing {
        trace_id: TRACE,
        span_id: SPAN,
        flags: TraceFlags::SAMPLED.with(TraceFlags::RANDOM),
        tracestate: Some("congo=t61rcWkgMzE"),
        request_id: Some("req-1"),
        baggage: Some("a=1"),
        b3: true,
    };
    fn check(extraction: &Extraction<'_>) {
        assert_eq!(extraction.trace, continued(3));
        assert_eq!(extraction.tracestate.as_deref(), Some("congo=t61rcWkgMzE"));
        assert_eq!(extraction.request_id, RequestId::Valid("req-1"));
        assert_eq!(extraction.baggage.as_str(), "a=1");
        assert_eq!(extraction.conflict, None);
    }
    let mut list: Vec<(String, String)> = vec![("TraceParent".into(), "old".into())];
    inject_into(&outgoing, &mut list);
    check(&extract(&list));
    let mut map = std::collections::HashMap::<String, String>::new();
    inject_into(&outgoing, &mut map);
    check(&extract(&map));
    #[cfg(feature = "http")]
    {
        let mut headers = http::HeaderMap::new();
        inject_into(&outgoing, &mut headers);
        check(&extract(&headers));
    }
}

mod properties {
    use proptest::prelude::*;

    use super::super::*;

    proptest! {
        #[test]
        fn inject_then_extract_is_the_same(trace_id in 1u128.., span_id in 1u64.., bits in 0u8..4, id in "[A-Za-z0-9._+/=-]{1,128}") {
            let flags = TraceFlags::from_bits(bits);
            let mut headers: Vec<(String, String)> = Vec::new();
            inject_into(&Outgoing { trace_id, span_id, flags, request_id: Some(&id), ..Outgoing::default() }, &mut headers);
            let extraction = extract(&headers);
            let remote = RemoteContext { trace_id, parent_span_id: Some(span_id), flags };
            prop_assert_eq!(extraction.trace, Trace::Continued(remote));
            prop_assert_eq!(extraction.request_id.valid(), Some(id.as_str()));
        }

        #[test]
        fn whatever_comes_in_what_goes_out_is_valid(
            names in proptest::collection::vec(proptest::sample::select(vec![
                "traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-datadog-trace-id",
                "x-datadog-tags", "x-amzn-trace-id", "x-request-id", "x-correlation-id"]), 0..8),
            values in proptest::collection::vec("([0-9a-f]{2}-[0-9a-f]{30,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}|[ -~]{0,80}|\\PC{0,20})", 8),
        ) {
            let carrier: Vec<(&str, &str)> = names.iter().copied().zip(values.iter().map(String::as_str)).collect();
            let extraction = extract(&carrier);
            let Some(remote) = extraction.trace.remote() else { return Ok(()) };
            prop_assert!(remote.trace_id != 0 && remote.parent_span_id != Some(0));
            let mut sent: Vec<(String, String)> = Vec::new();
            inject_into(&Outgoing {
                trace_id: remote.trace_id, span_id: 7, flags: remote.flags,
                tracestate: extraction.tracestate.as_deref(), request_id: extraction.request_id.valid(),
                baggage: Some(extraction.baggage.as_str()), b3: true,
            }, &mut sent);
            let again = extract(&sent);
            prop_assert_eq!(again.trace.remote().map(|again| again.trace_id), Some(remote.trace_id));
            prop_assert_eq!(again.baggage.len(), extraction.baggage.len());
            prop_assert_eq!(again.request_id.valid(), extraction.request_id.valid());
        }

        #[test]
        fn long_tracestate_is_never_torn(members in proptest::collection::vec("[a-z][a-z0-9]{0,40}=[a-zA-Z0-9]{1,200}", 1..32)) {
            let state = members.join(",");
            let fitted = tracestate::fit(&state);
            prop_assert!(fitted.len() <= tracestate::MAX_CARRIED || fitted == state);
            prop_assert!(fitted.is_empty() || tracestate::parse(&[fitted.as_bytes()]).is_some());
        }

        #[test]
        fn baggage_decodes_what_it_encoded(value in "\\PC{0,60}") {
            let mut baggage = Baggage::default();
            baggage.insert("k", &value);
            let decoded = baggage.get("k").map(std::borrow::Cow::into_owned);
            prop_assert_eq!(decoded, Some(value));
        }
    }
}
