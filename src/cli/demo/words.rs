//! The words of the data set: what a picture and video desk of a shop works on.

/// What pictures and videos are about.
pub const SUBJECTS: [&str; 20] = [
    "羊绒围巾",
    "陶瓷茶具",
    "儿童积木",
    "登山背包",
    "手冲咖啡壶",
    "蓝牙耳机",
    "真丝连衣裙",
    "竹制书架",
    "智能手表",
    "护肤礼盒",
    "跑步鞋",
    "实木餐桌",
    "折叠自行车",
    "香薰蜡烛",
    "机械键盘",
    "露营帐篷",
    "不粘炒锅",
    "羽绒被",
    "无线吸尘器",
    "端午礼盒",
];

/// What is asked of a picture.
pub const PICTURE_WORK: [&str; 8] = [
    "制作白底主图,800×800,五张",
    "详情页长图,突出材质与细节",
    "去除背景并统一色调",
    "春节主题海报,竖版 1080×1920",
    "尺码对照图,厘米与英寸各一版",
    "修复老照片色偏,保留质感",
    "场景图合成,暖色灯光",
    "朋友圈九宫格,留出文案位置",
];

/// What is asked of a video.
pub const VIDEO_WORK: [&str; 8] = [
    "剪辑 30 秒竖版短视频,配字幕",
    "开箱视频粗剪,去掉停顿",
    "生成 15 秒主图视频,循环播放",
    "直播切片,保留三处讲解",
    "加片头片尾与背景音乐",
    "横版转竖版,主体居中",
    "去除画面水印并调色",
    "制作使用教程,分四个步骤",
];

/// What people remark when they ask for something.
pub const NOTES: [&str; 12] = [
    "客户要求周五前完成",
    "参考上次的排版",
    "素材在共享盘 2026 春季目录",
    "颜色以实物为准",
    "需要老板确认后再发布",
    "大促用,优先处理",
    "文案还没有定稿,先出初稿",
    "注意不要出现竞品标识",
    "字体请用思源黑体",
    "和上一批保持一致",
    "客户对色差很敏感",
    "同时要英文版",
];

/// What people remark later.
pub const LATER_NOTES: [&str; 8] = [
    "客户改了需求,见新文案",
    "已电话沟通,延后一天",
    "补充了两张素材",
    "请先做封面",
    "改为加急",
    "尺寸调整为 1:1",
    "老板已确认",
    "退回一次,注意边缘",
];

/// What comes of a picture.
pub const PICTURE_RESULTS: [&str; 5] = [
    "已输出 5 张,均通过质检",
    "完成,共 8 张,另附源文件",
    "已按要求调色并上传",
    "完成初稿与终稿两版",
    "已替换背景,边缘已精修",
];

/// What comes of a video.
pub const VIDEO_RESULTS: [&str; 5] = [
    "成片 30 秒,1080p,含字幕",
    "已输出横竖两版",
    "剪辑完成,背景音乐已获授权",
    "三段切片,合计 2 分 40 秒",
    "教程四步,已加章节标记",
];
