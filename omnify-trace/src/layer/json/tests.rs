//! What is written comes back equal from one line.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_text_comes_back_equal_from_one_line(text in ".*|[\\x00-\\u{2040}]*") {
        let mut out = Vec::new();
        string(&mut out, &text);
        let parsed: String = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&parsed, &text);
        let line = String::from_utf8(out).unwrap();
        let breaks = |c: char| c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c);
        prop_assert!(!line.contains(breaks), "{}", line);
    }

    #[test]
    fn short_texts_are_copied_whole(text in "[ -~]{0,20}|.{0,8}|[ -~]{0,40}\\PC[ -~]{0,20}", number: u16) {
        let mut out = b"x".to_vec();
        escape(&mut out, &text);
        let quoted = [b"\"", &out[1..], b"\""].concat();
        prop_assert_eq!(serde_json::from_slice::<String>(&quoted).unwrap(), text.clone());
        out.clear();
        unsigned(&mut out, number.into());
        prop_assert_eq!(out, number.to_string().into_bytes());
        let eight_digits = u32::from(number) * 1525 + 7;
        let expected = format!("{eight_digits:08}").into_bytes();
        prop_assert_eq!(eight(eight_digits).to_le_bytes().to_vec(), expected);
        let mut out = Vec::new();
        unsigned(&mut out, eight_digits.into());
        prop_assert_eq!(out, eight_digits.to_string().into_bytes());
        let mut out = b"\"".to_vec();
        escape_to_end(&mut out, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.clone());
        let long = text.repeat(3);
        let block: Block = Block::new(long.clone().into_bytes());
        let mut out = b"y".to_vec();
        block.write(&mut out);
        prop_assert_eq!(&out[1..], block.as_slice());
        prop_assert_eq!(&out[1..], long.as_bytes());
        for text in [&text, &long] {
            let mut out = b"z".to_vec();
            out.put_short(text.as_bytes());
            prop_assert_eq!(&out[1..], text.as_bytes());
        }
    }

    #[test]
    fn any_float_comes_back_equal(bits: u64, number: u32, scale in 0..9_i32, kind in 0..4) {
        let bits = match kind {
            0 => bits,
            1 => (f64::from(number) / 10_f64.powi(scale)).to_bits(),
            2 => (f64::from(number) / 1000.0).to_bits() + bits % 3,
            _ => (-f64::from(number % 5) / 2.0).to_bits(),
        };
        let value = f64::from_bits(bits);
        let mut out = Vec::new();
        float(&mut out, value);
        // serde_json proves that it is JSON; its float parser is not exact, the standard one is.
        let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(parsed.is_number(), value.is_finite());
        if value.is_finite() {
            let text = String::from_utf8(out).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}

#[test]
fn every_small_number_is_written_as_it_is() {
    for value in 0..1_200_u64 {
        let mut out = Vec::new();
        unsigned(&mut out, value);
        assert_eq!(out, value.to_string().into_bytes());
    }
}

#[test]
fn every_small_number_of_thousandths_is_written_as_it_is() {
    for value in (0..1_200_000).chain(99_998_000..100_002_000) {
        let value = f64::from(value) / 1000.0;
        let mut out = Vec::new();
        float(&mut out, value);
        assert_eq!(out, format!("{value:?}").into_bytes());
    }
}
