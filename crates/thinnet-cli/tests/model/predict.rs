//! Predictions of every form of input.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use ndarray::Array2;
use serde_json::Value;
use thinnet::model::Model;

use crate::common::{names, thinnet};
use crate::{flower, flowers, numbers, refused, stdout, trained, trained_on_images};

/// The model in another process, asked by the library: the same bits as the program prints.
#[test]
fn the_program_prints_what_the_library_predicts() {
    let folder = trained(&[]);
    let model = Model::<f32>::load(folder.path().join("run/model.safetensors")).unwrap();
    let x = Array2::from_shape_fn(
        (90, 2),
        |(row, column)| if column == 0 { flower(row).0 } else { flower(row).1 },
    );
    let (classes, shares) = (model.predict(x.clone()).unwrap(), model.predict_proba(x).unwrap());
    let mut expected = "sample,class,probability\n".to_owned();
    for (sample, (&class, row)) in classes.iter().zip(shares.rows()).enumerate() {
        let name = ["lily", "\"rose, wild\"", "tulip"][class];
        writeln!(expected, "{sample},{name},{}", row[class]).unwrap();
    }
    assert_eq!(stdout(folder.path(), &["predict", "run", "flowers.csv"]), expected);
    let right = classes.iter().enumerate().filter(|(row, class)| **class == row % 3).count();
    assert!(right > 80, "{right} of 90");
    // All the probabilities, and the greatest two of them.
    let all = stdout(folder.path(), &["predict", "run/model.safetensors", "flowers.csv", "--proba"]);
    let row = shares.row(4);
    assert_eq!(all.lines().next(), Some("sample,lily,\"rose, wild\",tulip"));
    assert_eq!(all.lines().nth(5).unwrap(), format!("4,{},{},{}", row[0], row[1], row[2]));
    let top = stdout(folder.path(), &["predict", "run", "flowers.csv", "--top", "2"]);
    assert_eq!(top.lines().count(), 181);
    assert!(
        top.lines().nth(1).unwrap().starts_with("0,1,") && top.lines().nth(2).unwrap().starts_with("0,2,")
    );
}

/// Columns are found by name, in any order and among others; labels may be missing; the table may come from a pipe.
#[test]
fn a_table_is_read_by_its_columns_names() {
    let folder = trained(&[]);
    let expected = stdout(folder.path(), &["predict", "run", "flowers.csv"]);
    let turned: String = (0..90)
        .map(flower)
        .map(|(length, width, _)| format!("{width};x;{length}\n"))
        .fold("width;note;length\n".to_owned(), |text, line| text + &line);
    fs::write(folder.path().join("turned.csv"), &turned).unwrap();
    assert_eq!(stdout(folder.path(), &["predict", "run", "turned.csv"]), expected);
    for table in [flowers(), turned] {
        let assert =
            thinnet(folder.path()).args(["predict", "run", "-"]).write_stdin(table).assert().success();
        assert_eq!(String::from_utf8_lossy(&assert.get_output().stdout), expected);
    }
    let json = stdout(folder.path(), &["predict", "run", "flowers.csv", "--json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((first["sample"].as_u64(), first["class"].as_str()), (Some(0), Some("lily")));
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = trained(&[]);
    let expected = stdout(folder.path(), &["predict", "run", "flowers.csv"]);
    let printed = stdout(folder.path(), &["predict", "run", "flowers.csv", "--out", "out.csv"]);
    assert_eq!(printed, "out.csv\n");
    assert_eq!(fs::read_to_string(folder.path().join("out.csv")).unwrap(), expected);
    // A line that is no sample after many that are: nothing of a file stays, and an old one stays as it was.
    let broken = flowers() + &"1,2,lily\n".repeat(3000) + "1,oops,lily\n";
    fs::write(folder.path().join("broken.csv"), broken).unwrap();
    for (out, there) in [("new.csv", false), ("out.csv", true)] {
        thinnet(folder.path()).args(["predict", "run", "broken.csv", "--out", out]).assert().code(2);
        assert_eq!(folder.path().join(out).exists(), there);
    }
    assert_eq!(fs::read_to_string(folder.path().join("out.csv")).unwrap(), expected);
    assert_eq!(names(folder.path()), ["broken.csv", "flowers.csv", "out.csv", "run"]);
}

/// Images as IDX, NPZ, NPY and a folder of pictures; training samples come before test samples.
#[test]
fn images_come_in_any_format() {
    let folder = trained_on_images();
    let all = stdout(folder.path(), &["predict", "run", "digits"]);
    assert_eq!(all.lines().count(), 81);
    let right = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let sample: usize = fields[0].parse().unwrap();
        fields[1] == ((if sample < 60 { sample } else { sample - 60 }) % 2).to_string()
    };
    assert!(all.lines().skip(1).all(right), "{all}");
    stdout(folder.path(), &["data", "convert", "digits", "digits.npz"]);
    assert_eq!(stdout(folder.path(), &["predict", "run", "digits.npz"]), all);
    let first = stdout(folder.path(), &["predict", "run", "digits/train-images-idx3-ubyte"]);
    assert_eq!(first.lines().count(), 61);
    assert!(all.starts_with(&first));
    let pictures = folder.path().join("pictures/a");
    fs::create_dir_all(&pictures).unwrap();
    for index in 0..4 {
        let file = fs::File::create(pictures.join(format!("{index}.png"))).unwrap();
        let mut encoder = png::Encoder::new(file, 4, 4);
        encoder.set_color(png::ColorType::Grayscale);
        let pixels: Vec<u8> = (0..16).map(|at| crate::pixel(index, at)).collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    }
    let pictures = stdout(folder.path(), &["predict", "run", "pictures"]);
    assert_eq!(pictures, all.lines().take(5).fold(String::new(), |text, line| text + line + "\n"));
}

#[test]
fn a_regression_gives_numbers_in_the_datas_units() {
    let folder = numbers();
    let text = stdout(folder.path(), &["predict", "run", "numbers.csv"]);
    assert_eq!(text.lines().next(), Some("sample,price"));
    for (sample, line) in text.lines().skip(1).enumerate() {
        let (number, price) = line.split_once(',').unwrap();
        assert_eq!(number, sample.to_string());
        let expected = 1000.0 + 50.0 * sample as f64;
        assert!((price.parse::<f64>().unwrap() - expected).abs() < 500.0, "{line}");
    }
    let json = stdout(folder.path(), &["predict", "run", "numbers.csv", "--json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert!(first["targets"]["price"].is_number());
    for (option, value) in [("--top", Some("2")), ("--proba", None)] {
        let arguments: Vec<&str> =
            ["predict", "run", "numbers.csv", option].into_iter().chain(value).collect();
        refused(folder.path(), &arguments, &[option, "predicts numbers"]);
    }
}

/// The course's experiment leaves models, which predict as any other.
#[test]
fn networks_of_the_experiment_predict() {
    let folder = crate::common::empty_folder();
    thinnet(folder.path()).args(crate::common::SMALL).assert().success();
    assert_eq!(
        names(&folder.path().join("thinnet-report/models")),
        ["keep-0.25.safetensors", "keep-1.safetensors"]
    );
    let text = stdout(folder.path(), &["predict", "thinnet-report/models/keep-0.25.safetensors", "sample"]);
    assert_eq!(text.lines().count(), 1501);
}

/// Names of folders are not in a model: the same run elsewhere gives the same bytes.
#[test]
fn the_same_run_elsewhere_gives_the_same_bytes() {
    let model = || fs::read(trained(&[]).path().join("run/model.safetensors")).unwrap();
    assert_eq!(model(), model());
}

/// Whoever asks through a pipe may send one sample, wait for its answer, and send the next.
#[test]
fn a_pipe_is_answered_at_once() {
    let folder = trained(&[]);
    let all = stdout(folder.path(), &["predict", "run", "flowers.csv"]);
    for end in ["\n", "\r\n"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thinnet"));
        command.args(["predict", "run", "-"]).current_dir(folder.path());
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut questions, answers) = (program.stdin.take().unwrap(), program.stdout.take().unwrap());
        let (send, receive) = mpsc::channel();
        let reading =
            thread::spawn(move || BufReader::new(answers).lines().try_for_each(|line| send.send(line)));
        let answer = || receive.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
        let mut expected = all.lines();
        write!(questions, "width,length{end}").unwrap();
        for (sample, (length, width, _)) in (0..9).map(flower).enumerate() {
            write!(questions, "{width},{length}{end}").unwrap();
            for _ in 0..if sample == 0 { 2 } else { 1 } {
                assert_eq!(Some(answer().as_str()), expected.next());
            }
        }
        drop(questions);
        assert!(program.wait().unwrap().success());
        reading.join().unwrap().unwrap();
    }
}
