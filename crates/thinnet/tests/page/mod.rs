//! What a page may have of scripts: its own, once, and figures as data. Everything else must do without.
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking

/// The page's script, in the order of its files.
const SCRIPT: &str = concat!(
    include_str!("../../templates/script/numbers.js"),
    include_str!("../../templates/script/plot.js"),
    include_str!("../../templates/script/page.js"),
);
const HEAD: &str = "<script>/*<![CDATA[*/\n";
const TAIL: &str = "/*]]>*/</script>";
const DATA: &str = "<script type=\"application/json\">";

/// The page without its script and the blocks of figures, and the figures. Fails unless the script is there exactly once and
/// to the letter, reaches for no other place, and every block is JSON that can end no tag.
pub fn apart(page: &str) -> (String, Vec<serde_json::Value>) {
    let lower = SCRIPT.to_lowercase();
    for part in [
        "http",
        "//cdn",
        "src",
        "url(",
        "@import",
        "import(",
        "import ",
        "fetch",
        "xmlhttp",
        "websocket",
        "eval",
        "function(",
    ] {
        assert!(!lower.contains(part), "the script has {part}");
    }
    for part in ["</", "<!--", "]]>", "innerhtml", "outerhtml", "insertadjacent", "document.write"] {
        assert!(!lower.contains(part), "the script has {part}");
    }
    let own = format!("{HEAD}{SCRIPT}{TAIL}");
    assert_eq!(page.matches(&own).count(), 1, "the script, once");
    let rest = page.replace(&own, "");
    let mut parts = rest.split(DATA);
    let mut kept = parts.next().unwrap().to_owned();
    let mut figures = Vec::new();
    for part in parts {
        let (data, after) = part.split_once("</script>").unwrap();
        assert!(!data.contains(['<', '>', '&']), "{data}");
        figures.push(serde_json::from_str(data).unwrap());
        kept.push_str(after);
    }
    assert_eq!(figures.len(), kept.matches("<svg class=\"plot\"").count(), "figures of each plot");
    assert!(!kept.to_lowercase().contains("script>"), "another script");
    (kept, figures)
}
