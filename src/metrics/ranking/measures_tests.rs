use super::super::entries::MEASURES;
use super::*;
use crate::inference::bootstrap::Bootstrap;
use crate::metrics::Of;

const AT: Confidence = Confidence { level: 0.95, bootstrap: Bootstrap { replicates: 50, seed: 1 } };

fn many(rows: usize, shift: f64) -> ScoredGroup {
    let scores: Vec<f64> = (0..rows).map(|i| (i * 37 % 101) as f64 / 10.0 + shift).collect();
    let labels: Vec<u8> = (0..rows).map(|i| (i * 13 % 3) as u8).collect();
    ScoredGroup::from_rows(&scores, &labels, None)
}

fn places(groups: &[&ScoredGroup], cut: Option<(f64, f64)>) -> Vec<[OnList; 2]> {
    let list = Arc::new(Listed::of(groups, cut));
    let of = |group| [false, true].map(|others| OnList { list: list.clone(), group, others });
    (0..groups.len()).map(of).collect()
}

fn named(name: &str) -> &'static RankMeasure {
    MEASURES.iter().find(|m| m.entry.name == name).unwrap()
}

#[test]
fn every_measure_answers_on_any_groups() {
    let one = ScoredGroup::from_rows(&[1.0], &[0], None);
    let (full, other, none) = (many(200, 0.0), many(90, 2.0), ScoredGroup::default());
    let cases: [&[&ScoredGroup]; 6] =
        [&[], &[&none], &[&one], &[&full, &other], &[&full, &none, &one, &other], &[&none, &none]];
    for measure in MEASURES {
        for (groups, cut) in cases.into_iter().flat_map(|g| [(g, None), (g, Some((5.0, 0.5)))]) {
            let places = places(groups, cut);
            let own: Vec<&OnList> = places.iter().map(|p| &p[0]).collect();
            let others: Vec<&OnList> = places.iter().map(|p| &p[1]).collect();
            let mut found: Vec<Estimate> = Vec::new();
            match measure.entry.of {
                Of::Group => {
                    for which in [&own, &others] {
                        let all = measure.of_groups(which, AT);
                        assert_eq!(all.len(), groups.len());
                        found.extend(all.into_iter().map(|m| m.estimate));
                    }
                }
                Of::Table => {
                    found.push(measure.of_table(&own, AT).estimate);
                    found.push(measure.of_table(&own[..own.len() / 2], AT).estimate);
                }
                Of::Pair => {
                    for a in &own {
                        found.extend(own.iter().chain(&others).map(|b| measure.of_pair(a, b, AT).estimate));
                    }
                }
            }
            for e in found {
                let entry = measure.entry;
                assert_eq!(e.value.is_some(), e.reason.is_none(), "{} {e:?}", entry.name);
                let Some(v) = e.value else { continue };
                assert!(
                    v.is_finite() && e.low.is_none_or(|l| l <= v) && e.high.is_none_or(|h| v <= h),
                    "{entry:?} {e:?}"
                );
                let inside = entry.least.is_none_or(|l| v >= l - 1e-9) && entry.most.is_none_or(|m| v <= m + 1e-9);
                assert!(inside, "{} {v}", entry.name);
            }
        }
    }
}

#[test]
fn others_are_the_other_groups_on_the_same_list() {
    let groups = [many(120, 0.0), many(90, 1.0), many(60, 0.35)];
    let places = places(&groups.iter().collect::<Vec<_>>(), None);
    let scores: Vec<f64> =
        groups.iter().flat_map(|g| &g.points).flat_map(|p| vec![p.score; p.cell.rows as usize]).collect();
    let labels: Vec<u8> =
        groups.iter().flat_map(|g| &g.points).flat_map(|p| vec![p.label; p.cell.rows as usize]).collect();
    let relevance: Vec<f64> = labels.iter().map(|l| if *l < 2 { f64::from(*l) } else { f64::NAN }).collect();
    for (group, [own, others]) in places.iter().enumerate() {
        let start = [0, 120, 210][group];
        let codes: Vec<usize> =
            (0..270).map(|i| usize::from(!(start..start + [120, 90, 60][group]).contains(&i))).collect();
        let twin = Ranking::from_scores(&scores, &codes, 2, Some(&relevance));
        let close = |name: &str, of: Vec<Estimate>| {
            for (place, of) in [own, others].into_iter().zip(of) {
                let found = &named(name).of_groups(&[place], AT)[0].estimate;
                let near = |a: Option<f64>, b: Option<f64>| {
                    a.is_some() == b.is_some() && a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-9)
                };
                assert!(
                    near(found.value, of.value) && near(found.low, of.low) && near(found.high, of.high),
                    "{name} {found:?} {of:?}"
                );
            }
        };
        close("skew_at_k", skew::skew_at_k(&twin, 27, None, AT));
        close("top_k_selection_rate", skew::top_k_selection_rate(&twin, 27, AT));
        close("precision_at_k", retrieval::precision_at_k(&twin, 27, AT));
        close("recall_at_k", retrieval::recall_at_k(&twin, 27, AT));
        close("ndcg_at_k", retrieval::ndcg_at_k(&twin, 27));
        close("exposure", exposure::exposure(&twin, Attention::Logarithmic, AT));
        close("exposure_per_merit", exposure::exposure_per_merit(&twin, Attention::Logarithmic, AT));
        close("rbp_exposure", exposure::exposure(&twin, Attention::Geometric(GAMMA), AT));
        for (name, of) in [
            ("pairwise_accuracy", Tested::untested(pairwise::pairwise_accuracy(&twin, 0, 1, AT))),
            ("rank_parity", pairwise::rank_parity(&twin, 0, 1, AT)),
        ] {
            let found = named(name).of_pair(own, others, AT);
            assert!((found.estimate.value.unwrap() - of.estimate.value.unwrap()).abs() < 1e-12, "{name}");
            assert!((found.estimate.low.unwrap() - of.estimate.low.unwrap()).abs() < 1e-12, "{name}");
            assert_eq!(found.p_value.is_some(), of.p_value.is_some());
        }
    }
}

#[test]
fn the_first_are_those_a_model_selects() {
    let groups = [many(100, 0.0), many(100, 0.05)];
    let refs: Vec<&ScoredGroup> = groups.iter().collect();
    let above = groups.iter().flat_map(|g| &g.points).filter(|p| p.score > 7.0).map(|p| p.cell.rows).sum::<f64>();
    assert_eq!(Listed::of(&refs, Some((7.0, 0.0))).k, above as usize);
    assert_eq!(Listed::of(&refs, None).k, 20);
    let tied = ScoredGroup::from_rows(&[1.0; 10], &[2; 10], None);
    assert_eq!(Listed::of(&[&tied], Some((1.0, 0.3))).k, 3);
}

#[test]
fn tables_are_of_the_judged_groups_on_one_list() {
    let groups = [many(120, 0.0), many(90, 1.0), many(60, 0.35)];
    let all = places(&groups.iter().collect::<Vec<_>>(), None);
    let two = places(&[&groups[0], &groups[2]], None);
    for name in ["ndkl", "ndkl_excess", "min_skew_at_k", "infeasible_count", "rnd", "awrf"] {
        let some = named(name).of_table(&[&all[0][0], &all[2][0]], AT);
        assert_eq!(some, named(name).of_table(&[&two[0][0], &two[1][0]], AT), "{name}");
        let apart = named(name).of_table(&[&all[0][0], &two[0][0]], AT);
        assert_eq!(apart.estimate.reason, Some(Undefined::NotOneList));
    }
}
