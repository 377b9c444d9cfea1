//! Tables.

use thinnet::data::{DataSet, Features, Format, ReadOptions};

use crate::{bytes, floats, gzip};

fn table(text: &str, options: &ReadOptions) -> thinnet::Result<DataSet> {
    DataSet::from_bytes(text.as_bytes().to_vec(), options)
}

#[test]
fn tables_are_read_with_and_without_header_by_any_separator() {
    let plain = ReadOptions::default();
    let iris = "length,width,species\n5.1,3.5,setosa\n7.0,3.2,versicolor\n\n4.9,-1e1,setosa\n";
    let expected = table(iris, &plain).unwrap();
    assert_eq!((expected.format(), expected.shape()), (Format::Csv, &[2][..]));
    assert_eq!(
        (expected.names(), expected.train().labels()),
        (["setosa", "versicolor"].map(str::to_owned).as_slice(), &[0, 1, 0][..])
    );
    assert_eq!(floats(expected.train().x()), [5.1, 3.5, 7.0, 3.2, 4.9, -10.0]);
    for same in [
        iris.replace(',', "\t"),
        iris.replace(',', ";"),
        iris.replace(',', " | "),
        iris.replace('\n', "\r\n"),
        iris.replace("setosa", "\"setosa\""),
        iris.lines().skip(1).collect::<Vec<_>>().join("\n"),
        format!("\u{feff}{iris}"),
    ] {
        let read = table(&same, &plain).unwrap();
        assert_eq!((read.names(), read.train()), (expected.names(), expected.train()), "{same}");
        let columns = read.columns().unwrap();
        let header = same.contains("length");
        let named = if header { ["length", "width"] } else { ["1", "2"] };
        assert_eq!(
            (columns.header, columns.inputs.as_slice()),
            (header, named.map(str::to_owned).as_slice()),
            "{same}"
        );
        assert_eq!((read.format(), read.shape(), read.parts().count()), (Format::Csv, &[2][..], 1), "{same}");
    }
    let packed = DataSet::from_bytes(gzip(iris.as_bytes()), &plain).unwrap();
    assert_eq!(packed, expected);

    // Quotes hold separators, quotes and line breaks.
    let quoted = table("a,label\n1,\"x, \"\"y\"\"\nz\"\n2,w\n", &plain).unwrap();
    assert_eq!(quoted.names(), ["w", "x, \"y\"\u{fffd}z"]);
}

#[test]
fn the_label_column_is_found_or_named() {
    let text = "label,a,b\n7,1,2\n10,3,4\n7,5,600\n";
    let column = |label: Option<&str>| {
        let set = table(text, &ReadOptions { label: label.map(str::to_owned), ..ReadOptions::default() });
        set.map(|set| (set.names().to_vec(), floats_or_bytes(set.train().x())))
    };
    let classes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    // Numbers go by size: 7 before 10.
    assert_eq!(column(None).unwrap(), (classes(&["7", "10"]), vec![1.0, 2.0, 3.0, 4.0, 5.0, 600.0]));
    assert_eq!(column(Some("1")).unwrap(), column(None).unwrap());
    assert_eq!(
        column(Some("b")).unwrap(),
        (classes(&["2", "4", "600"]), vec![7.0, 1.0, 10.0, 3.0, 7.0, 5.0])
    );
    assert_eq!(column(Some("3")).unwrap(), column(Some("b")).unwrap());
    for wrong in ["c", "0", "4", ""] {
        let message = column(Some(wrong)).unwrap_err().to_string();
        assert!(
            message.contains(&format!("no label column {wrong:?}")) && message.contains("label, a, b"),
            "{message}"
        );
    }
    // Without such a name it is the last; all numbers below 256 stay bytes.
    let set = table("1,2,3\n4,5,3\n", &ReadOptions::default()).unwrap();
    assert_eq!((set.names().to_vec(), bytes(set.train().x())), (classes(&["3"]), vec![1, 2, 4, 5]));
    let set = table("1,2,x\n4,5,y\n", &ReadOptions { header: Some(true), ..ReadOptions::default() }).unwrap();
    assert_eq!((set.names().to_vec(), bytes(set.train().x())), (classes(&["y"]), vec![4, 5]));
    let set =
        table("1,2,3\n4,5.5,3\n", &ReadOptions { header: Some(false), ..ReadOptions::default() }).unwrap();
    assert_eq!(floats(set.train().x()), [1.0, 2.0, 4.0, 5.5]);
}

fn floats_or_bytes(values: &Features<f64>) -> Vec<f64> {
    values.to_floats().unwrap().iter().copied().collect()
}

/// Long tables are read on two threads; what is told of them is what is told of short ones.
#[test]
fn the_first_fault_of_a_long_table_is_told_with_its_line() {
    let plain = ReadOptions::default();
    let lines = |faults: &[(usize, &str)]| {
        let mut lines: Vec<String> = (0..60_000)
            .map(|row| format!("{}.25,\"{}\" , {}", row, row % 7, ["no", "yes"][row % 2]))
            .collect();
        for (row, fault) in faults {
            (*fault).clone_into(&mut lines[*row]);
        }
        format!("a,b,c\n{}\n", lines.join("\n"))
    };
    let whole = table(&lines(&[]), &plain).unwrap();
    assert_eq!(whole.train().len(), 60_000);
    let expected: Vec<f64> =
        (0..60_000).flat_map(|row| [f64::from(row) + 0.25, f64::from(row % 7)]).collect();
    assert_eq!(floats(whole.train().x()), expected);
    assert!(whole.train().labels().iter().enumerate().all(|(row, &label)| label == row % 2));
    let broken = "4000.5,\"3\",\"ye\ns\"";
    assert_eq!(table(&lines(&[(4000, broken)]), &plain).unwrap().names(), ["no", "ye\u{fffd}s", "yes"]);

    let words = ReadOptions { label: Some("a".to_owned()), regression: true, ..plain.clone() };
    let (short, word) = ("1.5,2", "x,2,no");
    for (faults, options, told) in [
        (&[(3, short)][..], &plain, "line 5 has 2 fields, but the first has 3"),
        (&[(4000, short)], &plain, "line 4002 has 2 fields, but the first has 3"),
        (&[(4000, broken), (4500, short)], &plain, "line 4503 has 2 fields, but the first has 3"),
        (&[(40_000, word), (40_001, short)], &words, "line 40002, column a: \"x\" is not a finite number"),
        (&[(600, word), (59_900, short)], &words, "line 602, column a: \"x\" is not a finite number"),
        (&[(4001, word), (4000, short)], &words, "line 4002 has 2 fields, but the first has 3"),
        (&[(59_999, ",1,no")], &words, "line 60001, column a: an empty field is not a finite number"),
    ] {
        let message = table(&lines(faults), options).unwrap_err().to_string();
        assert!(message.contains(told), "{message}");
    }
}
