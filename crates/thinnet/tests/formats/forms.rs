//! Tables that are written as JSON or ARFF.

use thinnet::data::{DataSet, Format, ReadOptions, Wanted, stream_table};

fn read(text: &str) -> thinnet::Result<DataSet> {
    DataSet::from_bytes(text.as_bytes().to_vec(), &ReadOptions { infer_task: true, ..ReadOptions::default() })
}

const CSV: &str = "size,city,old,label\n1.5,\"Rome, old\",true,a\n-2,,false,b\n300,Oslo,true,a\n";

const ARFF: &str = "\
% cities
@RELATION cities

@attribute size numeric
@attribute 'city' {'Rome, old',Oslo}
@attribute old {true,false}
@attribute label {a,b}

@DATA
1.5,'Rome, old',true,a
% a comment
-2, ?, false, b
300,Oslo,true,a
";

const LINES: &str = r#"{"size": 1.5, "city": "Rome, old", "old": true, "label": "a"}

{"label": "b", "size": -2, "old": false, "city": null}
{"size": 300, "city": "Oslo", "old": true, "label": "a"}
"#;

#[test]
fn one_table_is_the_same_in_every_form() {
    let csv = read(CSV).unwrap();
    let list = format!("[\n{}\n]", LINES.trim().replace("\n\n", "\n").replace("}\n{", "},\n{"));
    let (arff, json) = (Format::Arff, Format::Json);
    for (text, format) in [
        (ARFF, arff),
        (LINES, json),
        (&list, json),
        (&ARFF.replace('\n', "\r\n"), arff),
        (&format!("\u{feff}{LINES}"), json),
    ] {
        let set = read(text).unwrap();
        assert_eq!(set.format(), format);
        assert_eq!(
            (set.train(), set.columns(), set.names()),
            (csv.train(), csv.columns(), csv.names()),
            "{text}"
        );
        // Rows without a label are predicted from the same columns.
        let columns = set.columns().unwrap();
        let wanted = Wanted { shape: set.shape(), columns: Some(columns), resize: false };
        let mut rows = Vec::new();
        stream_table(text.as_bytes(), wanted, &mut |block| {
            rows.extend(block.x.to_floats().unwrap().into_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(rows, csv.train().x().to_floats().unwrap().iter().copied().collect::<Vec<_>>());
    }
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let refusal = |text: &str| read(text).unwrap_err().to_string();
    for (text, says) in [
        (ARFF.replace("false, b", "false"), "line 12 has 3 fields, but the first has 4"),
        (ARFF.replace("-2, ?, false, b", "{0 -2, 3 b}"), "its ARFF data are sparse, which is not supported"),
        (ARFF.split("@DATA").next().unwrap().to_owned(), "its ARFF header has no @data"),
        (
            LINES.replace("\"city\": null", "\"town\": null"),
            "line 3 has the key \"town\", but the first object does not",
        ),
        (LINES.replace("null", "[1]"), "line 3, key city: it is a list or an object"),
        (LINES.replace("-2", "-"), "line 3 is not a JSON object"),
        (LINES.replace("\"label\": \"b\", ", ""), "line 3 has no label"),
        ("[{\"a\": 1, \"label\": 2}".to_owned(), "it is not a list of JSON objects"),
        ("{}\n".to_owned(), "it is empty"),
        ("[{\"a\": 1, \"label\": 2}, {\"b\": 1}]".to_owned(), "object 2 has the key \"b\""),
    ] {
        let message = refusal(&text);
        assert!(message.contains(says), "{message}");
    }
}
