//! Folders of images.

use std::fs;
use std::path::Path;

use thinnet::data::{DataSet, Format, ReadOptions};

use crate::{bytes, folder, open, pattern, refusal, stored};
use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};

fn save(path: &Path, image: impl Into<DynamicImage>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let format =
        if path.extension().is_some_and(|e| e == "jpg") { ImageFormat::Jpeg } else { ImageFormat::Png };
    image.into().save_with_format(path, format).unwrap();
}

fn red(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(10 * x + y) as u8, 7, 200]))
}

#[test]
fn a_folder_for_each_class_is_read() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    save(&path("dog/2.png"), red(3, 2));
    save(&path("cat/a.png"), GrayImage::from_fn(3, 2, |x, y| image::Luma([(x + 10 * y) as u8])));
    save(&path("dog/.hidden.png"), red(9, 9));
    let set = open(folder.path());
    assert_eq!(
        (set.format(), set.shape(), set.names().join(" ")),
        (Format::Images, &[3, 2, 3][..], "cat dog".to_owned())
    );
    assert_eq!(set.train().labels(), [0, 1]);
    let cat = [0, 1, 2, 10, 11, 12];
    let dog = [0, 10, 20, 1, 11, 21, 7, 7, 7, 7, 7, 7, 200, 200, 200, 200, 200, 200];
    assert_eq!(bytes(set.train().x()), [cat.repeat(3), dog.to_vec()].concat(), "channel first");

    // Grey alone is one channel.
    fs::remove_dir_all(path("dog")).unwrap();
    save(&path("dog/1.png"), GrayImage::from_pixel(3, 2, image::Luma([9])));
    let set = open(folder.path());
    assert_eq!((set.shape(), bytes(set.train().x())), (&[1, 2, 3][..], [&cat[..], &[9; 6]].concat()));
}

/// The same numbers as PIL wrote, which are stored channel last.
#[test]
fn images_of_another_program_have_the_same_numbers() {
    let folder = folder();
    for (name, class) in [("colours.png", "a"), ("grey.png", "b")] {
        fs::create_dir(folder.path().join(class)).unwrap();
        fs::copy(stored(name), folder.path().join(class).join(name)).unwrap();
    }
    let set = open(folder.path());
    assert_eq!(set.shape(), [3, 8, 5]);
    let channel = |channel: usize| pattern(1, 120).into_iter().skip(channel).step_by(3);
    let colours = (0..3).flat_map(channel);
    let grey = (0..3).flat_map(|_| channel(0));
    assert_eq!(bytes(set.train().x()), colours.chain(grey).collect::<Vec<_>>());
}

#[test]
fn parts_have_folders_of_their_own_and_sizes_are_made_equal_on_request() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    for (name, side) in
        [("train/b/1.jpg", 8), ("train/a/1.png", 4), ("test/b/1.png", 4), ("valid/a/1.png", 2)]
    {
        save(&path(name), RgbImage::from_pixel(side, side, Rgb([100, 150, 50])));
    }
    let message = refusal(folder.path());
    assert!(
        message.contains("8 x 8") && message.contains("4 x 4") && message.contains("resize images"),
        "{message}"
    );
    let options = ReadOptions { resize: Some((6, 5)), ..ReadOptions::default() };
    let set = DataSet::open(folder.path(), &options).unwrap();
    assert_eq!((set.shape(), set.names().join(" ")), (&[3, 5, 6][..], "a b".to_owned()));
    assert_eq!(
        (set.train().labels(), set.test().unwrap().labels(), set.val().unwrap().labels()),
        (&[0, 1][..], &[1][..], &[0][..])
    );
    let near = |pixel: u8, value: u8| pixel.abs_diff(value) <= 2; // JPEG
    let pixels = bytes(set.train().x());
    for image in pixels.chunks(90) {
        for (plane, value) in image.chunks(30).zip([100, 150, 50]) {
            assert!(plane.iter().all(|&pixel| near(pixel, value)), "{plane:?}");
        }
    }
}

#[test]
fn what_is_no_image_is_refused_by_its_name() {
    let folder = folder();
    save(&folder.path().join("a/1.png"), red(2, 2));
    fs::write(folder.path().join("a/notes.jpg"), "not an image").unwrap();
    let message = refusal(folder.path());
    assert!(message.contains("notes.jpg") && message.contains("not PNG, JPEG"), "{message}");
    fs::remove_file(folder.path().join("a/notes.jpg")).unwrap();
    save(&folder.path().join("readme.png"), red(2, 2));
    let message = refusal(folder.path());
    assert!(message.contains("readme.png is next to the classes' folders"), "{message}");
    fs::remove_file(folder.path().join("readme.png")).unwrap();
    let message = refusal(&folder.path().join("a/1.png"));
    assert!(message.contains("one image"), "{message}");
}

#[test]
fn stray_files_are_passed_over_with_a_note() {
    let folder = folder();
    save(&folder.path().join("a/1.png"), red(2, 2));
    assert!(open(folder.path()).notes().is_empty());
    fs::write(folder.path().join("a/Thumbs.db"), [0xd0, 0xcf, 0x11, 0xe0]).unwrap();
    let set = open(folder.path());
    assert_eq!(set.notes(), ["1 file is not an image and was skipped: a/Thumbs.db"]);
    fs::write(folder.path().join("readme"), "BMI of 20 people").unwrap();
    fs::write(folder.path().join("labels.csv"), "a,b\n1,2\n").unwrap();
    let set = open(folder.path());
    assert_eq!(set.notes(), ["3 files are not images and were skipped, the first of them a/Thumbs.db"]);
    assert_eq!(set.train().len(), 1);
}

#[test]
fn broken_images_are_named_or_passed_over() {
    let folder = folder();
    for name in ["a/1.png", "a/3.png", "b/1.png"] {
        save(&folder.path().join(name), red(3, 2));
    }
    let sound = open(folder.path());
    let whole = fs::read(folder.path().join("a/1.png")).unwrap();
    fs::write(folder.path().join("a/0.png"), "nothing").unwrap();
    assert!(refusal(folder.path()).contains("a/0.png"));
    fs::write(folder.path().join("a/2.png"), &whole[..whole.len() - 20]).unwrap(); // its header is whole
    let set =
        DataSet::open(folder.path(), &ReadOptions { skip_broken: true, ..ReadOptions::default() }).unwrap();
    assert_eq!(
        (set.train().labels(), bytes(set.train().x())),
        (sound.train().labels(), bytes(sound.train().x()))
    );
    let [note] = set.notes() else { panic!("{:?}", set.notes()) };
    assert!(note.starts_with("2 broken images were skipped, the first of them a/0.png: "), "{note}");
}

#[test]
fn the_first_frame_of_every_kind_of_image_is_read() {
    for format in [ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff] {
        let folder = folder();
        let path = folder.path().join("a/1");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        red(3, 2).save_with_format(&path, format).unwrap();
        let set = open(folder.path());
        let expected = [0, 10, 20, 1, 11, 21, 7, 7, 7, 7, 7, 7, 200, 200, 200, 200, 200, 200];
        let near = bytes(set.train().x()).iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2); // GIF's colours
        assert!(near && set.shape() == [3, 2, 3], "{format:?}: {:?}", bytes(set.train().x()));
        assert!(refusal(&path).contains("one image"), "{format:?}");
    }
}

#[test]
fn images_are_turned_as_their_camera_asks() {
    use image::ImageEncoder;
    let folder = folder();
    let path = folder.path().join("a/1.png");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = image::codecs::png::PngEncoder::new(fs::File::create(&path).unwrap());
    // One entry: the orientation is 6, to be turned to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder.write_image(&[1, 2, 3, 4, 5, 6], 3, 2, image::ExtendedColorType::L8).unwrap();
    let set = open(folder.path());
    assert_eq!((set.shape(), bytes(set.train().x())), (&[1, 3, 2][..], vec![4, 1, 5, 2, 6, 3]));
}
