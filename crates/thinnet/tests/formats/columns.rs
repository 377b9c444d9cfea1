//! Tables with words, gaps and dates.

use std::fmt::Write;
use std::fs;

use thinnet::data::{DataSet, Encoding, Features, Part, ReadOptions, SplitOptions};
use thinnet::model::Model;
use thinnet::training::TrainingConfig;

fn read(text: &str, options: &ReadOptions) -> thinnet::Result<DataSet> {
    DataSet::from_bytes(text.as_bytes().to_vec(), options)
}

fn auto() -> ReadOptions {
    ReadOptions { infer_task: true, ..ReadOptions::default() }
}

fn rows(set: &DataSet) -> Vec<Vec<f64>> {
    set.train().x().to_floats().unwrap().rows().into_iter().map(|row| row.to_vec()).collect()
}

fn refusal(text: &str, options: &ReadOptions) -> String {
    read(text, options).unwrap_err().to_string()
}

const PEOPLE: &str = "\
id,age,sex,city,member,joined,label
1,30,male,Rome,yes,2024-02-29,a
2,,female,Oslo,no,2024-03-01,b
3,50,female,?,yes,NA,a
4,40,male,Rome,no,2024-03-02,b
";

#[test]
fn words_gaps_dates_and_truths_become_numbers() {
    let set = read(PEOPLE, &auto()).unwrap();
    let columns = set.columns().unwrap();
    assert_eq!(columns.inputs, ["age", "sex", "city", "member", "joined"], "the id counts the rows");
    assert_eq!(
        columns.numbers(),
        [
            "age",
            "age is missing",
            "sex = male",
            "city = Oslo",
            "city = Rome",
            "city is missing",
            "member",
            "joined",
            "joined is missing"
        ]
    );
    assert_eq!((set.shape(), columns.input_dim()), (&[9][..], 9));
    let leap = 19_782.0;
    assert_eq!(
        rows(&set),
        [
            [30.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, leap, 0.0],
            [40.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, leap + 1.0, 0.0], // the median age
            [50.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, leap + 1.0, 1.0],
            [40.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, leap + 2.0, 0.0],
        ]
    );
    assert_eq!(
        set.notes(),
        ["label: label (2 classes: a, b): classification", "left out: id (it counts the rows)"]
    );
    let kinds: Vec<_> =
        set.summary().unwrap().columns.into_iter().map(|column| (column.kind, column.gaps)).collect();
    assert_eq!(kinds, [("numbers", 1), ("categories", 0), ("categories", 1), ("yes or no", 0), ("dates", 1)]);
    let parts = read(PEOPLE, &ReadOptions { date_parts: true, ..auto() }).unwrap();
    let names = parts.columns().unwrap().numbers();
    let row = &rows(&parts)[0];
    let ones: Vec<&String> =
        names.iter().zip(row).filter(|(_, one)| **one == 1.0).map(|(name, _)| name).collect();
    assert_eq!(ones, ["sex = male", "city = Rome", "member", "joined: Thu", "joined: month 2"]);
}

#[test]
fn what_is_fitted_is_fitted_on_training_rows_alone() {
    // The last tenth are the validation rows; they alone have gaps, great ages, and the city of Bern.
    let mut text = "age,city,label\n".to_owned();
    for row in 0..90 {
        writeln!(text, "{},{},{}", row % 9, ["Rome", "Oslo", "Kyiv"][row % 3], row % 2).unwrap();
    }
    for row in 0..10 {
        writeln!(text, "{},Bern,{}", if row < 5 { "" } else { "1000" }, row % 2).unwrap();
    }
    let set = read(&text, &auto()).unwrap();
    assert_eq!(set.shape(), [1 + 1 + 4], "all rows are training rows so far");
    let split = SplitOptions {
        num_val: Some(10),
        order: Some(thinnet::data::Order::Stored),
        ..SplitOptions::default()
    };
    let set = set.split(&split).unwrap();
    let columns = set.columns().unwrap();
    assert_eq!(columns.numbers(), ["age", "city = Kyiv", "city = Oslo", "city = Rome"]);
    assert_eq!(columns.encodings[0], Encoding::Number { fill: 4.0, gaps: false });
    assert_eq!(set.shape(), [4]);
    let val = set.val().unwrap().x().to_floats().unwrap();
    assert_eq!((val[(0, 0)], val[(9, 0)]), (4.0, 1000.0));
    assert!(val.rows().into_iter().all(|row| row.iter().skip(1).all(|&zero| zero == 0.0)));
    assert!(set.notes().iter().any(|note| note.starts_with("10 words of validation")), "{:?}", set.notes());
    // Quantities are scaled, and what is 0 or 1 stays so.
    let scale = set.scale(thinnet::data::Scaling::Standard).unwrap();
    assert_eq!(
        (scale.mean, scale.deviation.unwrap()[1..].to_vec()),
        (vec![4.0, 0.0, 0.0, 0.0], vec![1.0; 3])
    );
}

#[test]
fn rare_categories_share_a_number() {
    let mut text = "word,x,label\n".to_owned();
    for word in 0..60 {
        // The first 50 come twice.
        for _ in 0..if word < 50 { 2 } else { 1 } {
            writeln!(text, "w{word},1.5,{}", word % 2).unwrap();
        }
    }
    let set = read(&text, &auto()).unwrap();
    let Encoding::Category { words, other, gaps } = &set.columns().unwrap().encodings[0] else {
        panic!("words")
    };
    assert_eq!((words.len(), *other, *gaps), (50, true, false));
    assert!(!words.contains(&"w50".to_owned()));
    let rows = rows(&set);
    assert_eq!((rows[0].len(), rows[109][50], rows[0][50]), (52, 1.0, 0.0));
    // Most numbers are zeros, and are not kept where the rows are scaled.
    let scaled: Features<f32> =
        set.scale(thinnet::data::Scaling::Standard).unwrap().apply(set.train().x()).unwrap();
    assert!(matches!(scaled, Features::Sparse(_)));
    let dense = set
        .scale(thinnet::data::Scaling::Standard)
        .unwrap()
        .apply::<f32>(&set.train().x().to_floats().unwrap().into());
    assert_eq!(scaled.to_floats().unwrap(), dense.unwrap().to_floats().unwrap());
}

#[test]
fn columns_are_chosen_by_name_or_number() {
    let table = "a,b,c,d\n1,2,3,x\n4,5,7,y\n";
    let inputs = |options: ReadOptions| read(table, &options).unwrap().columns().unwrap().inputs.clone();
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(inputs(ReadOptions { columns: names(&["c", "1"]), ..auto() }), ["a", "c"]);
    assert_eq!(inputs(ReadOptions { drop: names(&["b"]), ..auto() }), ["a", "c"]);
    let set = read(table, &ReadOptions { categories: names(&["c"]), ..auto() }).unwrap();
    assert_eq!(set.columns().unwrap().numbers(), ["a", "b", "c = 7"]);
    for wrong in [
        ReadOptions { columns: names(&["e"]), ..auto() },
        ReadOptions { drop: names(&["e"]), ..auto() },
        ReadOptions { categories: names(&["e"]), ..auto() },
    ] {
        assert_eq!(refusal(table, &wrong), "it has no column \"e\"; its 4 columns are a, b, c, d");
    }
    let all = ReadOptions { drop: names(&["a", "b", "c"]), ..auto() };
    assert_eq!(refusal(table, &all), "no column is left as an input besides the label d");
}

#[test]
fn the_label_says_whether_it_has_classes_or_numbers() {
    let task = |values: &mut dyn Iterator<Item = String>, options: &ReadOptions| {
        let text = values.fold("x,y1\n".to_owned(), |text, value| format!("{text}1.5,{value}\n"));
        let set = read(&text, options).unwrap();
        (set.is_regression(), set.names().len(), set.notes()[0].clone())
    };
    let (regression, _, note) = task(&mut (0..2000).map(|row| (row * 3).to_string()), &auto());
    assert!(regression && note == "label: y1 (numbers, 2000 different values): regression", "{note}");
    assert!(task(&mut (0..30).map(|row| format!("{row}.5")), &auto()).0);
    assert!(!task(&mut (0..30).map(|row| format!("{row}.5")), &ReadOptions::default()).0);
    assert!(!task(&mut (0..2000).map(|row| (row % 100).to_string()), &auto()).0);
    assert!(task(&mut (0..2000).map(|row| (row % 101).to_string()), &auto()).0);
    assert!(task(&mut (0..100).map(|row| (row % 30).to_string()), &auto()).0);
    assert_eq!(task(&mut ["0", "0.0", "1", "-0"].into_iter().map(str::to_owned), &auto()).1, 2);
    for (name, is) in [("Survived", true), ("OUTCOME", true), ("y", true), ("labels", true), ("other", false)]
    {
        let set = read(&format!("a,{name},b\n1,p,2.5\n2,q,3.5\n"), &auto()).unwrap();
        assert_eq!(set.columns().unwrap().target == name, is, "{name}");
    }
    let points = read("x,y,kind\n1,2,p\n3,4,q\n", &auto()).unwrap();
    assert_eq!(points.columns().unwrap().target, "kind", "y beside x is a coordinate");
}

#[test]
fn lines_have_the_numbers_that_an_editor_shows() {
    for end in ["\n", "\r\n", "\r"] {
        for (text, line) in [
            ("a,b\n1,x\n\n\n2,y,3\n", 5),
            ("\n\na,b\n1,x\n2,y,3\n", 5),
            ("a,b\n1,x\n2,y,3", 3),
            ("a,b\n1,\"x\ny\"\n2,y,3\n", 4),
            ("sep=,\na,b\n1,x\n2,y,3\n", 4),
        ] {
            let message = refusal(&text.replace('\n', end), &auto());
            assert_eq!(message, format!("line {line} has 3 fields, but the first has 2"), "{text:?} {end:?}");
        }
    }
}

#[test]
fn spreadsheets_are_read_as_they_are_written() {
    let plain = read("size,label\n1.5,a\n-1234.25,b\n", &auto()).unwrap();
    let same = |bytes: Vec<u8>, what: &str| {
        let set = DataSet::from_bytes(bytes, &auto()).unwrap();
        assert_eq!((set.train(), set.columns()), (plain.train(), plain.columns()), "{what}");
        set
    };
    same(b"size;label\n1,5;a\n-1.234,25;b\n".to_vec(), "decimal commas");
    same(b"sep=;\r\nsize;label\r\n1,5;a\r\n-1234,25;b\r\n".to_vec(), "a line that names the separator");
    same(b"sep=^\nsize^label\n1.5^a\n-1234.25^b\n".to_vec(), "a separator of its own");
    same(b"size,label,\n1.5,a,\n-1234.25,b,\n".to_vec(), "separators at the ends");
    same(b"size,label\n1.5,a,\n-1234.25,b,\n".to_vec(), "and of the rows alone");
    let utf16 = |big: bool| {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let text = "\u{feff}size,label\n1.5,a\n-1234.25,b\n";
        text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    for big in [true, false] {
        let set = same(utf16(big), "UTF-16");
        assert!(
            set.notes().contains(&"its text is UTF-16, and was converted".to_owned()),
            "{:?}",
            set.notes()
        );
    }
    let latin = DataSet::from_bytes(b"city,label\nZ\xfcrich,a\nOslo,b\nBern,b\n".to_vec(), &auto()).unwrap();
    assert_eq!(latin.columns().unwrap().numbers(), ["city = Bern", "city = Oslo", "city = Zürich"]);
    assert!(latin.notes().iter().any(|note| note.contains("Latin-1")), "{:?}", latin.notes());
}

#[test]
fn a_header_is_found_where_it_could_be_overlooked() {
    let header = |text: &str| read(text, &auto()).unwrap().columns().unwrap().header;
    assert!(header("0,1,label\n5.5,1,a\n4,2,b\n"), "pandas names columns so");
    assert!(header("Unnamed: 0,0,1,label\n0,5.5,1,a\n1,4,2,b\n"));
    assert!(!header("0,1,setosa\n5.5,1,virginica\n"), "no name of a label");
    assert!(!header("p,x,x,n\ne,y,x,t\n"), "names are different");
    assert!(header("p,x,y,n\ne,y,x,t\n"));
    assert!(header("p,x,x,n\ne,1,x,t\n"), "below is a number");
}

#[test]
fn a_slip_among_numbers_is_told_and_words_among_numbers_are_words() {
    let table = |odd: &str, rows: usize, every: usize| {
        (0..rows).fold("a,label\n".to_owned(), |text, row| {
            let field = if row % every == every - 1 { odd.to_owned() } else { row.to_string() };
            format!("{text}{field},{}\n", row % 2)
        })
    };
    assert_eq!(
        refusal(&table("1O", 90, 50), &auto()),
        "line 51, column a: \"1O\" is not a finite number; if the column holds words, name it as one of categories, or leave it out"
    );
    let tickets = read(&table("PC 17", 200, 4), &auto()).unwrap();
    assert!(matches!(tickets.columns().unwrap().encodings[0], Encoding::Category { .. }));
    let forced = ReadOptions { categories: vec!["a".to_owned()], ..auto() };
    assert!(read(&table("1O", 90, 50), &forced).is_ok());
}

/// Long tables of numbers are kept by rows, until something else comes.
#[test]
fn what_comes_late_in_a_long_table_is_read_as_what_comes_early() {
    const ROWS: usize = 2500;
    let table = |field: &dyn Fn(usize) -> String| {
        (0..ROWS).fold("n,a,b,label\n".to_owned(), |text, row| {
            format!("{text}{row},{},{},{}\n", field(row), row % 7, row % 2)
        })
    };
    let named =
        |names: &[&str]| ReadOptions { columns: names.iter().map(|&n| n.to_owned()).collect(), ..auto() };
    let set = read(&table(&|row| format!("{row}.5")), &auto()).unwrap();
    assert!(set.columns().unwrap().encodings.is_empty() && set.columns().unwrap().inputs == ["n", "a", "b"]);
    let last = (ROWS - 1) as f64;
    assert_eq!(rows(&set)[ROWS - 1], [last, last + 0.5, (last % 7.0)]);
    let bytes = read(&table(&|row| (row % 256).to_string()), &named(&["a", "b"])).unwrap();
    assert!(matches!(bytes.train().x(), Features::Pixels(_)));
    // An index is left out; a gap, a fraction, words and a slip come after 2000 rows.
    let ids = read(&table(&|row| row.to_string()).replacen('n', "rowid", 1), &auto()).unwrap();
    assert_eq!(ids.columns().unwrap().inputs, ["a", "b"]);
    assert_eq!(rows(&ids)[2000], [2000.0, 5.0]);
    let late = |odd: &'static str, from: usize| {
        move |row: usize| if row >= from { odd.to_owned() } else { format!("{:03}", row % 20) }
    };
    let gaps = read(&table(&late("?", 2499)), &auto()).unwrap();
    assert_eq!(gaps.columns().unwrap().encodings[1], Encoding::Number { fill: 9.0, gaps: true });
    assert_eq!(rows(&gaps)[2498][1..3], [18.0, 0.0]);
    assert_eq!(rows(&gaps)[2499][1..3], [9.0, 1.0]);
    let words = read(&table(&late("z", 2000)), &named(&["a"])).unwrap();
    let Encoding::Category { words, .. } = &words.columns().unwrap().encodings[0] else { panic!("words") };
    assert_eq!((words.len(), words.contains(&"007".to_owned())), (41, true), "as they were written, and not");
    let message = refusal(&table(&late("z", 2499)), &auto());
    assert!(message.starts_with("line 2501, column a: \"z\" is not a finite number"), "{message}");
}

#[test]
fn a_minus_is_a_class_and_a_word_none_is_one() {
    let skip = ReadOptions { skip_unlabelled: true, ..auto() };
    let set = read("a,label\n1.5,+\n2.5,-\n3.5,None\n", &skip).unwrap();
    assert_eq!((set.names(), set.train().len()), (["+", "-", "None"].map(str::to_owned).as_slice(), 3));
}

#[test]
fn rows_without_a_label_are_an_error_or_left_out() {
    let table = "a,label\n1.5,p\n2.5,\n3.5,NA\n4.5,q\n";
    assert_eq!(refusal(table, &auto()), "line 3 has no label");
    let set = read(table, &ReadOptions { skip_unlabelled: true, ..auto() }).unwrap();
    assert_eq!((rows(&set), set.train().labels()), (vec![vec![1.5], vec![4.5]], &[0, 1][..]));
    assert!(set.notes().contains(&"2 rows have no label and are left out".to_owned()), "{:?}", set.notes());
    let none =
        read("a,label\n1.5,\n", &ReadOptions { skip_unlabelled: true, ..auto() }).unwrap_err().to_string();
    assert_eq!(none, "no row has a label in column label");
}

#[test]
fn a_file_of_test_rows_is_read_as_the_training_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("train.csv"), PEOPLE).unwrap();
    // Other columns, another order, a gap where there was none, a city that was never seen.
    fs::write(at("test.csv"), "label,more,joined,member,city,sex,age,id\nb,1,2024-03-05,No,Bern,,35,9\n")
        .unwrap();
    let from_folder = DataSet::open(folder.path(), &auto()).unwrap();
    let named = ReadOptions { test: Some(at("test.csv")), ..auto() };
    let from_file = DataSet::open(&at("train.csv"), &named).unwrap();
    for set in [&from_folder, &from_file] {
        let test = set.test().unwrap();
        let row: Vec<f64> = test.x().to_floats().unwrap().row(0).to_vec();
        assert_eq!(row, [35.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 19_787.0, 0.0]);
        assert_eq!(test.labels(), [1]);
        let split = set.clone().split(&SplitOptions { num_val: Some(1), ..SplitOptions::default() }).unwrap();
        assert_eq!(
            split.parts().map(|(part, _)| part).collect::<Vec<_>>(),
            [Part::Train, Part::Val, Part::Test]
        );
    }
    fs::write(at("test.csv"), "age,sex,city,member,joined,label\n1,male,Rome,yes,2024-01-01,c\n").unwrap();
    let message = DataSet::open(folder.path(), &auto()).unwrap_err().to_string();
    assert!(message.contains("its class c is not among the classes of the training samples"), "{message}");
    // Test rows without labels are asked for in vain, and are no part of a folder.
    fs::write(at("test.csv"), "age,sex,city,member,joined\n1,male,Rome,yes,2024-01-01\n").unwrap();
    let message = DataSet::open(&at("train.csv"), &named).unwrap_err().to_string();
    assert!(message.contains("it has no column label, which holds the labels"), "{message}");
    let set = DataSet::open(folder.path(), &auto()).unwrap();
    assert!(set.test().is_none());
    assert!(
        set.notes().contains(
            &"test.csv has no column label and is left out; use it with thinnet predict".to_owned()
        )
    );
}

#[test]
fn a_model_takes_the_raw_columns_wherever_they_are() {
    let mut text = "age,city,since,label\n".to_owned();
    for row in 0..80 {
        let age = if row % 10 == 3 { String::new() } else { (row % 40).to_string() };
        let city = ["Rome", "Oslo", "Kyiv", "NA"][row % 4];
        writeln!(text, "{age},{city},2024-01-{:02},{}", row % 28 + 1, if row % 4 < 2 { "in" } else { "out" })
            .unwrap();
    }
    let set = read(&text, &auto()).unwrap();
    let mut settings = TrainingConfig::default();
    for change in ["model.hidden=[8]", "train.epochs=3", "train.batch_size=10"] {
        settings.set(&change.parse().unwrap()).unwrap();
    }
    let model = Model::<f32>::fit_set(set, &settings, &mut ()).unwrap();
    let model = Model::<f32>::from_bytes(&model.to_bytes().unwrap()).unwrap();
    let columns = model.preprocessing().columns.clone().unwrap();
    let known = ReadOptions { known: Some(columns.clone()), ..ReadOptions::default() };
    let whole = read(&text, &known).unwrap();
    let expected = model.predict_proba(whole.train().x().clone()).unwrap();
    let wanted =
        thinnet::data::Wanted { shape: &model.preprocessing().shape, columns: Some(&columns), resize: false };
    let mut found = Vec::new();
    thinnet::data::stream_table(text.as_bytes(), wanted, &mut |block| {
        found.extend(model.predict_proba(block.x)?);
        Ok(())
    })
    .unwrap();
    assert_eq!(found, expected.iter().copied().collect::<Vec<_>>());
    // Read without the model's columns, rows are encoded as the model's own.
    let other = read(&text, &auto()).unwrap();
    let rows = model.rows_of(&other, other.train()).unwrap();
    assert_eq!(model.predict_proba(rows.x().clone()).unwrap(), expected);
    // Another kind of column is refused, by its line.
    let wrong = text.replace("2024-01-05", "soon");
    let message =
        thinnet::data::stream_table(wrong.as_bytes(), wanted, &mut |_| Ok(())).unwrap_err().to_string();
    assert_eq!(message, "line 6, column since: \"soon\" is not a finite number; the model takes a date here");
}
